"""Notices that did not reach their person: what becomes of the wish, the case, the news.

Who cannot be reached hears no more. Who could not be told now is owed the news: once more
by the neutral line, where the provider says that another try may help, otherwise when they
write again. Each is one event of the case, by day.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from handlers.messages import Reply
from handlers.notices import joined
from handlers.notices.joined import NEWS, News
from handlers.office import Office
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


def unreachable(
    session: Session, office: Office, claimed: Claimed, *, reason: str, now: datetime
) -> bool:
    """Record that a letter cannot reach its person: it ends, and so does their wish.

    False when a case could not be told, because its row is not authentic.
    """
    letter = claimed.letter
    if letter.kind is LetterKind.RECEIPT:
        mine = failed.keep(session, claimed, reason, now=now)
    else:
        mine = outbox.dead(session, claimed)
    if not mine:
        return True
    return record_unreachable(session, office, letter, reason=reason, now=now)


def record_unreachable(
    session: Session, office: Office, letter: Letter, *, reason: str, now: datetime
) -> bool:
    """End a person's notices and say so in the history of each of their cases.

    What else waits for them would only be refused in its turn: it is given up too. False
    when a case is not authentic: nothing is written over what was planted.
    """
    place = (letter.channel, letter.to)
    concerned = {bytes.fromhex(letter.case)} if letter.case else set()
    if letter.to:
        concerned |= set(owed.reports_of(session, office.keys, *place))
    told = True
    for report in sorted(concerned):
        told &= _record(session, office, report, EventCode.UNREACHABLE, reason, now)
    if letter.to:
        subscriptions.end_for_handle(session, office.keys, *place)
        waiting.hold_back(session, office.keys, *place, reason[:_REASON], now=now)
    return told


def refused(
    session: Session, office: Office, letter: Letter, *, reason: str, now: datetime
) -> bool:
    """Record that a notice was not taken, though its person may be there: they are owed it.

    Only the first part of a long one counts. False when the case is not authentic.
    """
    if not (letter.case and letter.to and letter.template):
        return True
    report = bytes.fromhex(letter.case)
    with suppress(NotAuthentic):
        if cases.lock(session, office.keys, report) is None:
            return True
        place = (letter.channel, letter.to)
        if not owed.owe(session, office.keys, report, *place):
            return True
        return _record(session, office, report, EventCode.UNTOLD, reason, now)
    return False


def expired(session: Session, office: Office, *, now: datetime) -> None:
    """Owe the news of notices that nobody sent before their end; the letters may then go."""
    for letter in waiting.expired(session, office.keys, now=now):
        refused(session, office, letter, reason=EXPIRED, now=now)


def did_not_arrive(
    session: Session,
    office: Office,
    letter: Letter,
    *,
    reason: str,
    closed: bool,
    again: bool,
    now: datetime,
) -> bool:
    """Tell once more, neutrally, what a provider took and then did not deliver.

    ``closed``: because the 24 h window was (the template goes, at once); ``again``: another
    try may help. A second failure, or one that nothing helps, is ``refused``. False when
    the case is not authentic.
    """
    if not (letter.case and letter.to):
        return True
    if closed:
        owed.window_closed(session, office.keys, letter.channel, letter.to)
    if letter.again or not (closed or again):
        return refused(session, office, letter, reason=reason, now=now)
    with suppress(NotAuthentic):
        case = cases.lock(session, office.keys, bytes.fromhex(letter.case))
        due = now if closed else now + AGAIN_AFTER
        if case is not None:
            news = News(_neutral(case), closed=closed, again=True)
            _post(session, office, case, letter.channel, [letter.to], news, now, due)
        return True
    return False


def tell_owed(
    session: Session,
    office: Office,
    reports: Iterable[bytes],
    channel: Channel,
    handles: Iterable[str],
    *,
    now: datetime,
) -> None:
    """Tell a person who just wrote that there is news of these cases."""
    for report in sorted(reports):
        with suppress(NotAuthentic):
            case = cases.get(session, office.keys, report)
            if case is not None:
                news = News(_neutral(case))
                _post(session, office, case, channel, list(handles), news, now)


def _post(
    session: Session,
    office: Office,
    case: Case,
    channel: Channel,
    handles: list[str],
    news: News,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Post to those of a case's people who are reached by these handles and still want it."""
    for person in subscriptions.of_case(session, office.keys, case.report):
        if person.channel is channel and person.handle in handles:
            joined.post(session, office, case, person, news, now=now, due=due)


def _neutral(case: Case) -> Reply:
    return Reply(NEWS, {"case": case.number})


def _record(
    session: Session,
    office: Office,
    report: bytes,
    code: EventCode,
    reason: str,
    now: datetime,
) -> bool:
    try:
        case = cases.lock(session, office.keys, report)
    except NotAuthentic:
        return False
    if case is None:
        return True
    day = office.day(now)
    history.append(
        session, office.keys, case, code, by=history.SYSTEM, day=day, detail=why(reason)
    )
    cases.save(session, office.keys, case)
    return True
