"""Erases what ended cases hold when their rules say so, a few cases in one transaction.

The scheduler asks ``due`` page by page, by indexes that hold what no purge has looked at,
and gives each page to ``purge``, which looks again under the lock. ``replay`` erases once more what a restored backup brought back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from handlers.office import Office
from handlers.rules.lifetimes import Facts, Since, latest_start
from handlers.work import Work
from storage.audit import log
from storage.cases import cases, history
from storage.crypto.sealing import NotAuthentic
from storage.database.transactions import Store
from storage.models import Case, Tombstone
from storage.retention import erasing, overdue, tombstones
from storage.retention.overdue import Cut, Place
from storage.words import Erased, EventCode, Status

AT_ONCE = 50
"""Cases of one transaction."""
WISHES = 200
"""Wishes for notices that are opened for one page."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a round of the purge has come: by a rule and a status, then by the wishes."""

    way: int = 0
    after: Place = overdue.BEGIN
    wish: bytes = b""


@dataclass(frozen=True, slots=True)
class Gone:
    """What a purge erased: how many things, and files to remove from disk."""

    count: int = 0
    files: tuple[bytes, ...] = ()


def facts(case: Case) -> Facts:
    """Return what the rules must know of a case."""
    return Facts(Status(case.status), case.closed, case.purged, case.hold)


def cuts(office: Office, now: datetime) -> list[Cut]:
    """Return the rules for cases as they cut today."""
    today = office.day(now)
    return [
        Cut(
            what=what,
            statuses=rule.statuses,
            until=latest_start(rule, today),
            since_purged=rule.since is Since.PURGED,
            held=not rule.hold,
        )
        for what in Erased
        for rule in office.rulebook.lifetimes.of(what)
    ]


def due(work: Work, at: Walk) -> tuple[list[bytes], Walk | None]:
    """Return the next reports that may hold something past its rule, and where to go on.

    None at the end of the round. Rule by rule, by the day that counts; then by the wishes
    for notices, some at a time. A page may be empty before the end.
    """
    wanted = cuts(work.office, work.now)
    ways = [
        (cut, status)
        for cut in wanted
        if cut.what is not Erased.CONTACT
        for status in sorted(cut.statuses)
    ]
    for number in range(at.way, len(ways)):
        after = at.after if number == at.way else overdue.BEGIN
        found = overdue.page(work.store, *ways[number], after=after, limit=AT_ONCE)
        if found:
            return sorted({one.report for one in found}), Walk(number, found[-1])
    told, last = overdue.told(
        work.store, work.keys, wanted, after=at.wish, limit=WISHES
    )
    return told, Walk(len(ways), wish=last) if last else None


def purge(work: Work, reports: Sequence[bytes]) -> Gone:
    """Erase of these cases what is past its rule; a case changed by hand is left alone."""
    count, files = 0, []
    for report in sorted(reports):
        try:
            case = cases.lock(work.store, work.keys, report)
        except NotAuthentic:
            continue
        if case is None:
            continue
        over = work.office.rulebook.lifetimes.over(facts(case), work.day)
        for what in Erased:
            if what in over:
                gone, removed = _erase(work, case, what, work.day)
                count += gone
                files += removed
        case.identity_swept |= Erased.IDENTITY in over
        case.files_swept |= Erased.FILES in over
        cases.save(work.store, work.keys, case)
    return Gone(count, tuple(files))


def date_ends(work: Work) -> int:
    """Give ended cases of an older version the day of their end; returns how many."""
    dated = 0
    for report in overdue.undated(work.store, limit=AT_ONCE):
        try:
            case = cases.lock(work.store, work.keys, report)
        except NotAuthentic:
            continue
        if case is None or case.is_open or case.closed is not None:
            continue
        case.closed = _ended(work.store, case)
        cases.save(work.store, work.keys, case)
        dated += 1
    return dated


def replay(work: Work, stone: Tombstone) -> Gone:
    """Erase again what a tombstone tells of that this store does not know.

    ``stone`` must be authentic. The tombstone is put back, so that it counts once.
    """
    what, today = Erased(stone.what), work.day
    case = cases.lock(work.store, work.keys, stone.report)
    if tombstones.is_known(work.store, stone):
        return Gone()
    tombstones.keep(work.store, work.keys, stone)
    if case is None:
        return Gone()
    gone, files = erasing.again(work.store, work.keys, case, what, day=stone.day)
    if not gone:
        return Gone()
    erasing.record(work.store, work.keys, case, what, day=today)
    cases.save(work.store, work.keys, case)
    log.record(
        work.store,
        work.keys,
        "retention.replayed",
        officer=None,
        report=case.report,
        detail=what.value,
        now=work.now,
    )
    return Gone(1, tuple(files))


def _erase(work: Work, case: Case, what: Erased, day: date) -> tuple[bool, list[bytes]]:
    removed: list[bytes] = []
    if what is Erased.FILES:
        removed = erasing.erase_files(work.store, work.keys, case, day=day)
        gone = bool(removed)
    else:
        verb = {
            Erased.IDENTITY: erasing.erase_identity,
            Erased.CONTACT: erasing.erase_contact,
            Erased.CONTENTS: erasing.erase_contents,
            Erased.RECEIPT: erasing.erase_receipt,
        }[what]
        gone = verb(work.store, work.keys, case, day=day)
    if gone:
        erasing.record(work.store, work.keys, case, what, day=day)
    return gone, removed


def _ended(session: Store, case: Case) -> date:
    """Return the day of the last step, from the history: it ended the case."""
    ends = {EventCode.STATUS, EventCode.WITHDRAWN}
    days = [e.day for e in history.of_case(session, case.report) if e.code in ends]
    return max(days, default=case.day)
