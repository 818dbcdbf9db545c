"""The verbs with which officers answer what a reporter asked about their own data.

An answer is told to the reporter in words. Erasing everything needs two officers of the
unit, one of them a supervisor; a legal process forbids it.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from handlers.cases import due_dates, record, reporter
from handlers.errors import (
    AnsweredAlready,
    KeptByLaw,
    NotFound,
    ReasonNeeded,
    SecondOfficerNeeded,
    SupervisorNeeded,
)
from handlers.notices import reporters
from handlers.office import Office
from handlers.rules.deadlines import due
from handlers.talk.state import Promises
from storage.cases import cases, data_requests, history, items, reveals
from storage.cases.history import Actor
from storage.models import Case, DataRequest, Officer
from storage.people import officers
from storage.retention import erasing
from storage.units import units
from storage.words import (
    ActorClass,
    Erased,
    EventCode,
    RequestKind,
    RequestState,
    Role,
    Status,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer: settled or only proposed; files to remove from disk."""

    settled: bool
    files: tuple[bytes, ...] = ()


def answer(
    session: Session,
    office: Office,
    report: bytes,
    request: bytes,
    state: RequestState,
    text: str,
    *,
    by: Officer,
    now: datetime,
) -> Answered:
    """Answer an open request: DONE, or LIMITED with the reason, told to the reporter.

    For an erasure, DONE proposes it or, by a second officer, erases; its ``text`` may be
    empty. Raises NotFound, AnsweredAlready, ReasonNeeded, and for an
    erasure KeptByLaw, SecondOfficerNeeded, SupervisorNeeded.
    """
    case = record.lock(session, office, report)
    row = data_requests.lock(session, office.keys, request)
    if row is None or row.report != report:
        raise NotFound
    if row.state != RequestState.OPEN:
        raise AnsweredAlready
    if state is RequestState.DONE and row.kind == RequestKind.ERASE:
        return _erase(session, office, case, row, by, now)
    if not text:
        raise ReasonNeeded
    if case.purged is None and not record.tell_reporter(
        session, office, case, text, by=by, now=now
    ):
        raise NotFound("no receipt yet")
    _settle(session, office, case, row, state, by, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, f"request_{state}", by, now)
    return Answered(settled=True)


def _erase(
    session: Session,
    office: Office,
    case: Case,
    row: DataRequest,
    by: Officer,
    now: datetime,
) -> Answered:
    if case.hold:
        raise KeptByLaw
    first = _proposer(session, office, case, row)
    if first is None:
        row.officer = by.id
        data_requests.save(session, office.keys, row)
        code = EventCode.APPROVAL_ASKED
        record.event(session, office, case, code, by, now, "erasure")
        cases.save(session, office.keys, case)
        record.witness(session, office, case, "erasure_proposed", by, now)
        return Answered(settled=False)
    if first.id == by.id:
        raise SecondOfficerNeeded
    if Role.SUPERVISOR not in {first.role, by.role}:
        raise SupervisorNeeded
    gone = _end(session, office, case, by, now)
    for one in data_requests.open_of(session, office.keys, case.report):
        _settle(session, office, case, one, RequestState.DONE, by, now)
    due_dates.set_due(session, office, case, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "erased", by, now)
    return Answered(settled=True, files=tuple(gone))


def _proposer(
    session: Session, office: Office, case: Case, row: DataRequest
) -> Officer | None:
    """Return who proposed the erasure, while they still belong to the case's unit."""
    if row.officer is None:
        return None
    officer = officers.by_id(session, office.keys, row.officer)
    unit = units.verified(session, office.keys, case.unit)
    there = officer.active and units.is_member(session, office.keys, unit, officer)
    return officer if there else None


def _end(
    session: Session, office: Office, case: Case, by: Officer, now: datetime
) -> list[bytes]:
    """End the case and delete all it holds; its number and code still say so.

    Returns ids of files to remove from disk after the commit.
    """
    keys, day = office.keys, office.day(now)
    case.reporter_withdrawn = True
    if case.is_open:
        due_dates.enter(office, case, Status.WITHDRAWN, now)
        case.before = case.reason = case.paused_since = None
    case.wanted_status = case.wanted_reason = case.wanted_by = None
    case.unread_from_reporter = False
    reveals.end_for_report(session, case.report)
    erasing.erase_contact(session, keys, case, day=day)
    erasing.erase_identity(session, keys, case, day=day)
    removed = erasing.erase_files(session, keys, case, day=day)
    erasing.erase_contents(session, keys, case, day=day)
    actor = Actor(ActorClass.OFFICER, by.id, now)
    erasing.record(
        session,
        keys,
        case,
        Erased.CONTENTS,
        day=day,
        code=EventCode.ERASED,
        by=actor,
    )
    return removed


def _settle(
    session: Session,
    office: Office,
    case: Case,
    row: DataRequest,
    state: RequestState,
    by: Officer,
    now: datetime,
) -> None:
    row.state, row.officer = state.value, by.id
    data_requests.save(session, office.keys, row)
    detail = f"{row.kind}:{state}"
    record.event(session, office, case, EventCode.ANSWERED, by, now, detail)


ANSWERED_BY = {
    RequestKind.ERASE: "D25A",
    RequestKind.RESTRICT: "D23",
    RequestKind.ACCESS: "D24",
    RequestKind.CORRECT: "D24",
}
DONE_BY = {**ANSWERED_BY, RequestKind.ERASE: "D25"}
RULES = frozenset({*ANSWERED_BY.values(), *DONE_BY.values()})
"""The deadlines that no copy of the rules may leave out: the law gives these rights."""


def deadline(office: Office, rule: str, day: date) -> date:
    """Return the last day of a rule that counts from ``day`` on."""
    return due(office.rulebook.deadlines[rule], day, office.calendar)


def promises(
    session: Session, office: Office, report: bytes | None, *, now: datetime
) -> Promises:
    """Return what a reporter may be told of each request to an opened report.

    An erasure is promised for the day on which the last backup of it is gone too.
    """
    if report is None:
        return Promises()
    day = office.day(now)
    dates = {kind: deadline(office, rule, day) for kind, rule in DONE_BY.items()}
    dates[RequestKind.ERASE] += office.backups
    case = cases.get(session, office.keys, report)
    held = case is not None and case.hold and items.has_identity(session, report)
    return Promises(
        {kind.value: day.strftime("%d/%m/%Y") for kind, day in dates.items()}, held
    )


def ask(
    session: Session, office: Office, report: bytes, kind: RequestKind, *, now: datetime
) -> None:
    """Take a request of whoever holds the code; asking twice changes no date.

    Who wants everything erased is forgotten at once: contact and identity go.
    """
    if kind is RequestKind.ERASE:
        reporter.erase(session, office, report, now=now)
    case = cases.lock(session, office.keys, report)
    if case is None:
        return
    day = office.day(now)
    if not data_requests.ask(
        session,
        office.keys,
        report,
        kind,
        day=day,
        answer_due=deadline(office, ANSWERED_BY[kind], day),
        due=deadline(office, DONE_BY[kind], day),
    ):
        return
    history.append(
        session,
        office.keys,
        case,
        EventCode.REQUESTED,
        by=history.REPORTER,
        day=day,
        detail=kind.value,
    )
    cases.save(session, office.keys, case)
    reporters.alert(session, office, case, text="ALERT.REQUEST", now=now)
