"""Messages in quarantine, for custodians: by day, channel and reason; read, release, drop.

A message is shown as text and as nothing else: no link, no picture, nothing that a browser
would act on, and what turns the direction of letters is written out.
"""

import contextlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import parse_qsl

from starlette.responses import Response

from bot.console.reveals import opening
from bot.console.visit import SeeOther, Visit
from handlers import authority
from handlers.errors import NotFound, ReasonNeeded, TwoPeopleNeeded
from handlers.quarantine import release
from handlers.quarantine.release import DROPS, Became, Quarantined
from storage import quarantine
from storage.words import Channel

MOST: Final = 20_000
"""Characters that are shown of one message."""
_DONE: Final = frozenset({*(one.value for one in Became), "dropped"})
_JSON: Final = json.JSONEncoder(indent=2, ensure_ascii=False)
_SHORT: Final = 0xFFFF
_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,40}", re.ASCII)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks by their class that show nothing all the same."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message as the list shows it."""

    name: str
    day: date
    channel: str
    reason: str
    why: str


def messages(visit: Visit) -> Response:
    """List what is in quarantine."""
    return _show(visit)


def read(visit: Visit) -> Response:
    """Open one message in this session; that it was read is a line of the log."""
    name = _name(visit)
    message = visit.act(release.read, name, visit.secret, by=visit.officer.id)
    text = readable(message)
    return visit.page(
        "watch/quarantine_open.html",
        line=_line(visit, name, message.day, message.channel, message.reason),
        text=text[:MOST],
        cut=len(text) > MOST,
        drops=DROPS,
    )


def release_message(visit: Visit) -> Response:
    """Let a message be taken in as if it had just come; say what became of it."""
    name = _name(visit)
    with visit.console.database.reading() as session:
        try:
            message = release.opened(
                visit.work(session), name, visit.secret, by=visit.officer
            )
        except NotFound:
            return SeeOther(f"/quarantine?done={Became.GONE}")
    result = visit.wait_for(visit.console.release(name, message, visit.officer.id))
    return SeeOther(f"/quarantine?done={result.became}&why={result.reason}")


def drop(visit: Visit) -> Response:
    """Delete a message for good, for a reason."""
    try:
        gone = visit.act(
            release.drop,
            _name(visit),
            visit.form.get("reason", ""),
            by=visit.officer.id,
        )
    except ReasonNeeded:
        return _show(visit, unsure=visit.request.path_params["name"], status=422)
    return SeeOther(f"/quarantine?done={'dropped' if gone else Became.GONE}")


def readable(message: Quarantined) -> str:
    """Return a message as lines of text; what cannot be seen is written out by number.

    What is longer than ``MOST`` may be cut anywhere behind that.
    """
    text = message.raw.decode("utf-8", "backslashreplace")
    if message.channel == Channel.TELEGRAM or text.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            text = _begin(_JSON.iterencode(json.loads(text)))
    elif pairs := parse_qsl(text, keep_blank_values=True, errors="backslashreplace"):
        text = "\n".join(f"{field}: {value}" for field, value in pairs)
    return "".join(map(_seen, text[: MOST + 1]))


def _begin(pieces: Iterable[str]) -> str:
    """Join what is shown and no more: indented, a mebibyte may become a gigabyte."""
    found, size = [], 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > MOST:
            break
    return "".join(found)


def _seen(letter: str) -> str:
    number = ord(letter)
    unseen = unicodedata.category(letter) in _UNSEEN or letter in _BLANK
    if not unseen or letter in "\t\n":
        return letter
    return f"\\u{number:04x}" if number <= _SHORT else f"\\U{number:08x}"


def _show(visit: Visit, *, unsure: str = "", status: int = 200) -> Response:
    office = visit.console.office
    with visit.console.database.reading() as session:
        try:
            authority.require_custodian(visit.work(session), visit.officer)
        except TwoPeopleNeeded:
            raise NotFound from None
        rows = quarantine.verified(session, office.keys)
    lines = [_line(visit, r.id, r.day, r.channel, r.reason) for r in rows]
    done, why = visit.query.get("done", ""), visit.query.get("why", "")
    return visit.page(
        "watch/quarantine.html",
        status=status,
        lines=lines,
        drops=DROPS,
        unsure=unsure,
        done=done if done in _DONE else "",
        why=_why(visit, why) if _CODE.fullmatch(why) else "",
    )


def _line(visit: Visit, name: bytes, day: date, channel: str, reason: str) -> Line:
    return Line(name.hex(), day, channel, reason, _why(visit, reason))


def _why(visit: Visit, reason: str) -> str:
    """Say a reason in words: a provider's strange form, or a fault of our own."""
    for msgid in (
        f"quarantine.why.{reason}",
        f"quarantine.why.{reason.partition('.')[0]}",
    ):
        if visit.console.texts.knows(msgid):
            return visit.say(msgid)
    return visit.say("quarantine.why.fault")


def _name(visit: Visit) -> bytes:
    return opening.raw_id(visit.request.path_params["name"])
