"""Notices that did not reach their person: what becomes of the wish, the case, the news.

Who cannot be reached hears no more. Who could not be told now is owed the news: once more
by the neutral line, where the provider says that another try may help, otherwise when they
write again. Each is one event of the case, by day.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from handlers.messages import Reply
from handlers.notices import joined
from handlers.notices.joined import NEWS, News
from handlers.work import Work
from storage import outbox
from storage.cases import cases, history
from storage.crypto.sealing import NotAuthentic
from storage.letters.letter import Letter
from storage.models import Case
from storage.notices import failed, owed, subscriptions, waiting
from storage.outbox import Claimed
from storage.words import Channel, EventCode, LetterKind

AGAIN_AFTER: Final = timedelta(hours=1)
"""A handset that is off, a full queue: what a provider could not do may be done later."""
EXPIRED: Final = "expired"
"""Why news is owed whose letter waited until its end."""
_REASON: Final = 40
STOPPED: Final = frozenset({"stopped", "403", "21610", "30004", "63014"})
GONE: Final = frozenset(
    {"gone", "chat", "21211", "21614", "30005", "30006", "63003", "63024"}
)
LATE: Final = frozenset({"late", EXPIRED, "30003", "30008", "30036", "undelivered"})


def why(reason: str) -> str:
    """Return a word for a provider's code: ``stopped``, ``gone``, ``late`` or ``refused``.

    A history is never erased and read by many: a code would say by which channel its
    reporter writes, which no row of a case may tell. Each word fits every channel.
    """
    code = reason.rpartition(".")[2]
    words = {"stopped": STOPPED, "gone": GONE, "late": LATE}
    return next((word for word, codes in words.items() if code in codes), "refused")


def unreachable(work: Work, claimed: Claimed, *, reason: str) -> bool:
    """Record that a letter cannot reach its person: it ends, and so does their wish.

    False when a case could not be told, because its row is not authentic.
    """
    letter = claimed.letter
    if letter.kind is LetterKind.RECEIPT:
        mine = failed.keep(work.store, claimed, reason, now=work.now)
    else:
        mine = outbox.dead(work.store, claimed)
    if not mine:
        return True
    return record_unreachable(work, letter, reason=reason)


def record_unreachable(work: Work, letter: Letter, *, reason: str) -> bool:
    """End a person's notices and say so in the history of each of their cases.

    What else waits for them would only be refused in its turn: it is given up too. False
    when a case is not authentic: nothing is written over what was planted.
    """
    place = (letter.channel, letter.to)
    concerned = {bytes.fromhex(letter.case)} if letter.case else set()
    if letter.to:
        concerned |= set(owed.reports_of(work.store, work.keys, *place))
    told = True
    for report in sorted(concerned):
        told &= _record(work, report, EventCode.UNREACHABLE, reason)
    if letter.to:
        subscriptions.end_for_handle(work.store, work.keys, *place)
        waiting.hold_back(work.store, work.keys, *place, reason[:_REASON], now=work.now)
    return told


def refused(work: Work, letter: Letter, *, reason: str) -> bool:
    """Record that a notice was not taken, though its person may be there: they are owed it.

    Only the first part of a long one counts. False when the case is not authentic.
    """
    if not (letter.case and letter.to and letter.template):
        return True
    report = bytes.fromhex(letter.case)
    with suppress(NotAuthentic):
        if cases.lock(work.store, work.keys, report) is None:
            return True
        place = (letter.channel, letter.to)
        if not owed.owe(work.store, work.keys, report, *place):
            return True
        return _record(work, report, EventCode.UNTOLD, reason)
    return False


def expired(work: Work) -> None:
    """Owe the news of notices that nobody sent before their end; the letters may then go."""
    for letter in waiting.expired(work.store, work.keys, now=work.now):
        refused(work, letter, reason=EXPIRED)


def did_not_arrive(
    work: Work, letter: Letter, *, reason: str, closed: bool, again: bool
) -> bool:
    """Tell once more, neutrally, what a provider took and then did not deliver.

    ``closed``: because the 24 h window was (the template goes, at once); ``again``: another
    try may help. A second failure, or one that nothing helps, is ``refused``. False when
    the case is not authentic.
    """
    if not (letter.case and letter.to):
        return True
    if closed:
        owed.window_closed(work.store, work.keys, letter.channel, letter.to)
    if letter.again or not (closed or again):
        return refused(work, letter, reason=reason)
    with suppress(NotAuthentic):
        case = cases.lock(work.store, work.keys, bytes.fromhex(letter.case))
        due = work.now if closed else work.now + AGAIN_AFTER
        if case is not None:
            news = News(_neutral(case), closed=closed, again=True)
            _post(work, case, letter.channel, [letter.to], news, due)
        return True
    return False


def tell_owed(
    work: Work, reports: Iterable[bytes], channel: Channel, handles: Iterable[str]
) -> None:
    """Tell a person who just wrote that there is news of these cases."""
    for report in sorted(reports):
        with suppress(NotAuthentic):
            case = cases.get(work.store, work.keys, report)
            if case is not None:
                news = News(_neutral(case))
                _post(work, case, channel, list(handles), news)


def _post(
    work: Work,
    case: Case,
    channel: Channel,
    handles: list[str],
    news: News,
    due: datetime | None = None,
) -> None:
    """Post to those of a case's people who are reached by these handles and still want it."""
    for person in subscriptions.of_case(work.store, work.keys, case.report):
        if person.channel is channel and person.handle in handles:
            joined.post(work, case, person, news, due=due)


def _neutral(case: Case) -> Reply:
    return Reply(NEWS, {"case": case.number})


def _record(work: Work, report: bytes, code: EventCode, reason: str) -> bool:
    try:
        case = cases.lock(work.store, work.keys, report)
    except NotAuthentic:
        return False
    if case is None:
        return True
    day = work.day
    history.append(
        work.store,
        work.keys,
        case,
        code,
        by=history.SYSTEM,
        day=day,
        detail=why(reason),
    )
    cases.save(work.store, work.keys, case)
    return True
