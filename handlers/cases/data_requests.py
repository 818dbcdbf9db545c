"""A reporter's request about their own data: asked, promised, answered.

``ask`` and ``promises`` serve the reporter: a request gets its dates from the rules of
the jurisdiction. ``answer`` is the officers' verb: it is told to the reporter in words.
Erasing everything needs two officers of the unit, one of them a supervisor; a legal
hold forbids it.
"""

from dataclasses import dataclass
from datetime import date

from handlers import authority
from handlers.cases import due_dates, record, reporter
from handlers.errors import (
    AnsweredAlready,
    KeptByLaw,
    NotFound,
    ReasonNeeded,
    SecondOfficerNeeded,
    SupervisorNeeded,
)
from handlers.notices import officers as notices
from handlers.office import Office
from handlers.rules.deadlines import due
from handlers.talk.turn import Promises
from handlers.work import Work
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
    work: Work,
    report: bytes,
    request: bytes,
    state: RequestState,
    text: str,
    *,
    by: Officer,
) -> Answered:
    """Answer an open request: DONE, or LIMITED with the reason, told to the reporter.

    For an erasure, DONE proposes it or, by a second officer, erases; its ``text`` may be
    empty. Raises NotFound, AnsweredAlready, ReasonNeeded, and for an
    erasure KeptByLaw, SecondOfficerNeeded, SupervisorNeeded.
    """
    case = record.lock(work, report)
    row = data_requests.lock(work.store, work.keys, request)
    if row is None or row.report != report:
        raise NotFound
    if row.state != RequestState.OPEN:
        raise AnsweredAlready
    if state is RequestState.DONE and row.kind == RequestKind.ERASE:
        return _erase(work, case, row, by)
    if not text:
        raise ReasonNeeded
    if case.purged is None and not record.tell_reporter(work, case, text, by=by):
        raise NotFound("no receipt yet")
    _settle(work, case, row, state, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, f"request_{state}", by)
    return Answered(settled=True)


def _erase(work: Work, case: Case, row: DataRequest, by: Officer) -> Answered:
    if case.hold:
        raise KeptByLaw
    first = _proposer(work, case, row)
    if first is None:
        row.officer = by.id
        data_requests.save(work.store, work.keys, row)
        code = EventCode.APPROVAL_ASKED
        record.event(work, case, code, by, "erasure")
        cases.save(work.store, work.keys, case)
        record.witness(work, case, "erasure_proposed", by)
        return Answered(settled=False)
    if first.id == by.id:
        raise SecondOfficerNeeded
    if Role.SUPERVISOR not in {first.role, by.role}:
        raise SupervisorNeeded
    gone = _end(work, case, by)
    for one in data_requests.open_of(work.store, work.keys, case.report):
        _settle(work, case, one, RequestState.DONE, by)
    due_dates.set_due(work, case)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "erased", by)
    return Answered(settled=True, files=tuple(gone))


def _proposer(work: Work, case: Case, row: DataRequest) -> Officer | None:
    """Return who proposed the erasure, while they still belong to the case's unit."""
    if row.officer is None:
        return None
    officer = officers.by_id(work.store, work.keys, row.officer)
    unit = units.verified(work.store, work.keys, case.unit)
    return officer if authority.sits_in(work, officer, unit) else None


def _end(work: Work, case: Case, by: Officer) -> list[bytes]:
    """End the case and delete all it holds; its number and code still say so.

    Returns ids of files to remove from disk after the commit.
    """
    keys, day = work.keys, work.day
    case.reporter_withdrawn = True
    if case.is_open:
        due_dates.enter(work.office, case, Status.WITHDRAWN, work.now)
        case.before = case.reason = case.paused_since = None
    case.wanted_status = case.wanted_reason = case.wanted_by = None
    case.unread_from_reporter = False
    reveals.end_for_report(work.store, case.report)
    erasing.erase_contact(work.store, keys, case, day=day)
    erasing.erase_identity(work.store, keys, case, day=day)
    removed = erasing.erase_files(work.store, keys, case, day=day)
    erasing.erase_contents(work.store, keys, case, day=day)
    actor = Actor(ActorClass.OFFICER, by.id, work.now)
    erasing.record(
        work.store,
        keys,
        case,
        Erased.CONTENTS,
        day=day,
        code=EventCode.ERASED,
        by=actor,
    )
    return removed


def _settle(
    work: Work, case: Case, row: DataRequest, state: RequestState, by: Officer
) -> None:
    row.state, row.officer = state.value, by.id
    data_requests.save(work.store, work.keys, row)
    detail = f"{row.kind}:{state}"
    record.event(work, case, EventCode.ANSWERED, by, detail)


ANSWERED_BY = {
    RequestKind.ERASE: "D25A",
    RequestKind.RESTRICT: "D23",
    RequestKind.ACCESS: "D24",
    RequestKind.CORRECT: "D24",
}
DONE_BY = {**ANSWERED_BY, RequestKind.ERASE: "D25"}


def deadline(office: Office, rule: str, day: date) -> date:
    """Return the last day of a rule that counts from ``day`` on."""
    return due(office.rulebook.deadlines.rules[rule], day, office.calendar)


def promises(work: Work, report: bytes | None) -> Promises:
    """Return what a reporter may be told of each request to an opened report.

    An erasure is promised for the day on which the last backup of it is gone too.
    """
    if report is None:
        return Promises()
    day = work.day
    dates = {kind: deadline(work.office, rule, day) for kind, rule in DONE_BY.items()}
    dates[RequestKind.ERASE] += work.office.backups
    case = cases.get(work.store, work.keys, report)
    held = case is not None and case.hold and items.has_identity(work.store, report)
    return Promises(
        {kind.value: day.strftime("%d/%m/%Y") for kind, day in dates.items()}, held
    )


def ask(work: Work, report: bytes, kind: RequestKind) -> None:
    """Take a request of whoever holds the code; asking twice changes no date.

    Who wants everything erased is forgotten at once: contact and identity go.
    """
    if kind is RequestKind.ERASE:
        reporter.erase(work, report)
    case = cases.lock(work.store, work.keys, report)
    if case is None:
        return
    day = work.day
    if not data_requests.ask(
        work.store,
        work.keys,
        report,
        kind,
        day=day,
        answer_due=deadline(work.office, ANSWERED_BY[kind], day),
        due=deadline(work.office, DONE_BY[kind], day),
    ):
        return
    history.append(
        work.store,
        work.keys,
        case,
        EventCode.REQUESTED,
        by=history.REPORTER,
        day=day,
        detail=kind.value,
    )
    cases.save(work.store, work.keys, case)
    notices.alert(work, case, text="ALERT.REQUEST")
