"""The verbs of officers on a case.

Each checks, writes, records the event and tells who must know. Each is one change in
the caller's transaction. Texts of people go into items, sealed; events hold codes only.
"""

from handlers.cases import due_dates, record
from handlers.errors import NotFound, SecondOfficerNeeded
from handlers.notices import reporters
from handlers.work import Work
from storage.cases import cases, items
from storage.models import Officer
from storage.words import Audience, EventCode, ItemKind, Reason, Role, Status


def change_status(
    work: Work, report: bytes, to: Status, *, by: Officer, reason: Reason | None
) -> bool:
    """Move a case, record who moved it, and tell the reporter.

    Where four eyes are needed the first officer's call records a proposal and returns
    False; a second officer who asks for the same step and reason confirms it (True).
    Raises the workflow's errors, NotFound, and NotAuthentic for a changed row.
    """
    case = record.lock(work, report)
    record.refuse_purged(case)
    status = Status(case.status)
    wanted = (to.value, reason.value if reason else None)
    seconded = (
        (case.wanted_status, case.wanted_reason) == wanted
        and case.wanted_by is not None
        and case.wanted_by != by.id
    )
    try:
        work.office.rulebook.workflow.check(
            status,
            to,
            role=Role(by.role),
            reason=reason,
            before=Status(case.before) if case.before else None,
            approved_by_second=seconded,
        )
    except SecondOfficerNeeded:
        if (case.wanted_status, case.wanted_reason, case.wanted_by) == (*wanted, by.id):
            raise
        case.wanted_status, case.wanted_reason, case.wanted_by = *wanted, by.id
        record.event(work, case, EventCode.APPROVAL_ASKED, by, _detail(to, reason))
        cases.save(work.store, work.keys, case)
        record.witness(work, case, "proposed", by)
        return False
    if to is Status.NEEDS_INFO:
        case.before, case.paused_since = status.value, work.day
    else:
        case.before = case.paused_since = None
    due_dates.enter(work.office, case, to, work.now)
    case.reason = wanted[1]
    case.wanted_status = case.wanted_reason = case.wanted_by = None
    record.event(work, case, EventCode.STATUS, by, _detail(to, reason))
    due_dates.set_due(work, case)
    cases.save(work.store, work.keys, case)
    reporters.tell(work, case, status=True)
    record.witness(work, case, "status", by)
    return True


def ask(work: Work, report: bytes, text: str, *, by: Officer) -> None:
    """Ask the reporter something: sealed to them and to the case, told as they wished."""
    case = record.lock(work, report)
    record.refuse_purged(case)
    if case.reporter_key is None:
        raise NotFound("no receipt yet")
    content = record.content(ItemKind.QUESTION, text, by, work.now)
    sent = items.add_item(
        work.store,
        work.keys,
        report,
        content,
        audience=Audience.REPORTER,
        public=case.reporter_key,
        day=work.day,
    )
    record.item(work, case, EventCode.ITEM, by, sent)
    record.seal_to_case(work, case, content, EventCode.ASKED, by)
    cases.save(work.store, work.keys, case)
    reporters.tell(work, case, words=text)
    record.witness(work, case, "asked", by)


def note(work: Work, report: bytes, text: str, *, by: Officer) -> None:
    """Keep an officer's note, sealed to the case; nobody is told."""
    case = record.lock(work, report)
    content = record.content(ItemKind.NOTE, text, by, work.now)
    record.seal_to_case(work, case, content, EventCode.NOTED, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "noted", by)


def take(work: Work, report: bytes, *, by: Officer) -> bool:
    """Make an officer the one who works on a case; False if somebody else has it."""
    case = record.lock(work, report)
    if case.officer is not None:
        return case.officer == by.id
    case.officer = by.id
    record.event(work, case, EventCode.TAKEN, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "taken", by)
    return True


def let_go(work: Work, report: bytes, *, by: Officer) -> None:
    """Put a case that this officer had back into the unit's queue."""
    case = record.lock(work, report)
    if case.officer != by.id:
        return
    case.officer = None
    record.event(work, case, EventCode.TAKEN, by, "let_go")
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "let_go", by)


def record_reading(work: Work, report: bytes, *, by: Officer) -> None:
    """Record that an officer opened a case's contents, and mark its news as seen."""
    case = record.lock(work, report)
    case.unread_from_reporter = False
    record.event(work, case, EventCode.READ_BY_OFFICER, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "read", by)


def _detail(to: Status, reason: Reason | None) -> str:
    return f"{to}:{reason}" if reason else to.value
