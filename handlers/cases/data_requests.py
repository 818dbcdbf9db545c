"""The verbs with which officers answer what a reporter asked about their own data.

An answer is told to the reporter in words. Erasing everything needs two officers of the
unit, one of them a supervisor; a legal process forbids it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from handlers.cases import due_dates as countdown
from handlers.cases import record as acts
from handlers.errors import (
    AnsweredAlready,
    KeptByLaw,
    NotFound,
    ReasonNeeded,
    SecondOfficerNeeded,
    SupervisorNeeded,
)
from handlers.office import Office
from storage.cases import cases, data_requests, reveals
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
    case = acts.lock(session, office, report)
    row = data_requests.lock(session, office.keys, request)
    if row is None or row.report != report:
        raise NotFound
    if row.state != RequestState.OPEN:
        raise AnsweredAlready
    if state is RequestState.DONE and row.kind == RequestKind.ERASE:
        return _erase(session, office, case, row, by, now)
    if not text:
        raise ReasonNeeded
    if case.purged is None and not acts.tell_reporter(
        session, office, case, text, by=by, now=now
    ):
        raise NotFound("no receipt yet")
    _settle(session, office, case, row, state, by, now)
    cases.save(session, office.keys, case)
    acts.witness(session, office, case, f"request_{state}", by, now)
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
        acts.event(session, office, case, code, by, now, "erasure")
        cases.save(session, office.keys, case)
        acts.witness(session, office, case, "erasure_proposed", by, now)
        return Answered(settled=False)
    if first.id == by.id:
        raise SecondOfficerNeeded
    if Role.SUPERVISOR not in {first.role, by.role}:
        raise SupervisorNeeded
    gone = _end(session, office, case, by, now)
    for one in data_requests.open_of(session, office.keys, case.report):
        _settle(session, office, case, one, RequestState.DONE, by, now)
    countdown.set_due(session, office, case, now)
    cases.save(session, office.keys, case)
    acts.witness(session, office, case, "erased", by, now)
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
        countdown.enter(office, case, Status.WITHDRAWN, now)
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
    acts.event(session, office, case, EventCode.ANSWERED, by, now, detail)
