"""Letters that did not go: why, and what to do; try them again, or drop them.

The page needs no key. It shows no handle, text or number of a case, and an answer looks
like a receipt: nobody learns here that a report came.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from bot.console.visit import SeeOther, Visit
from handlers.notices import resending
from handlers.work import Work
from storage.notices import failed
from storage.notices.failed import DeadLetter

MOST: Final = 200
"""Letters shown one by one; a reason is tried or dropped with all of it."""
_DONE: Final = frozenset({"retried", "dropped", "gone", "already"})
_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Pile:
    """All letters that failed for one reason, in the words of that reason."""

    reason: str
    count: int
    why: str
    mend: str
    letters: tuple[DeadLetter, ...]


def letters(visit: Visit) -> Response:
    """Show what did not go, reason by reason."""
    return _show(visit)


def retry(visit: Visit) -> Response:
    """Send again: one letter, or all of a reason."""
    return _write(visit, resending.retry, "retried")


def drop(visit: Visit) -> Response:
    """Give up for good: one letter, or all of a reason once that is ticked."""
    if not visit.form.get("letter") and visit.form.get("sure") != "yes":
        return _show(visit, unsure=visit.form.get("reason", ""), status=422)
    return _write(visit, resending.drop, "dropped")


def _show(visit: Visit, *, unsure: str | None = None, status: int = 200) -> Response:
    with visit.console.database.reading() as session:
        counts = failed.counts(session, now=visit.now)
        found = failed.listed(session, now=visit.now, limit=MOST)
    done, count = visit.query.get("done", ""), visit.query.get("n", "")
    return visit.page(
        "watch/letters.html",
        status=status,
        piles=[_pile(visit, reason, n, found) for reason, n in counts.items()],
        shown=len(found),
        total=sum(counts.values()),
        unsure=unsure,
        done=done if done in _DONE else "",
        count=int(count) if count.isdecimal() and len(count) < _DIGITS else 0,
    )


def _pile(visit: Visit, reason: str, count: int, found: list[DeadLetter]) -> Pile:
    letters = tuple(one for one in found if one.reason == reason)
    return Pile(
        reason,
        count,
        _words(visit, "letters.why", reason),
        _words(visit, "letters.mend", reason),
        letters,
    )


def _words(visit: Visit, family: str, reason: str) -> str:
    """Return the words for a reason, else for its provider, else for any."""
    provider = reason.partition(".")[0]
    for msgid in (f"{family}.{reason}", f"{family}.{provider}"):
        if visit.console.texts.knows(msgid):
            return visit.say(msgid)
    return visit.say(f"{family}.other")


def _write(visit: Visit, verb: Callable[..., int], done: str) -> Response:
    letter, reason = visit.form.get("letter", ""), visit.form.get("reason", "")
    known = letter.isdecimal() and len(letter) <= _DIGITS
    if not known and not reason:
        return SeeOther("/letters?done=gone")
    only = (int(letter),) if known else ()
    count = visit.act(_once, visit, verb, only, None if known else reason)
    if count is None:
        return SeeOther("/letters?done=already")
    return SeeOther(
        f"/letters?done={done}&n={count}" if count else "/letters?done=gone"
    )


def _once(
    work: Work,
    visit: Visit,
    verb: Callable[..., int],
    only: tuple[int, ...],
    reason: str | None,
) -> int | None:
    """Do it once; None for a form that was sent before."""
    if visit.is_repeat(work):
        return None
    return verb(work, only=only, reason=reason, by=visit.officer.id)
