"""The verbs on cases: each checks, writes, records the event and tells who must know.

Every function here is one change of the world inside one transaction of the caller.
Texts of people go into items, sealed; events hold codes only.
"""

from datetime import datetime

from sqlmodel import Session

from handlers.cases import due_dates, record
from handlers.errors import NotFound, SecondOfficerNeeded
from handlers.notices import reporters
from handlers.office import Office
from storage.cases import cases, items
from storage.models import Officer
from storage.words import Audience, EventCode, ItemKind, Reason, Role, Status


def change_status(
    session: Session,
    office: Office,
    report: bytes,
    to: Status,
    *,
    by: Officer,
    reason: Reason | None,
    now: datetime,
) -> bool:
    """Move a case, record who moved it, and tell the reporter.

    Where four eyes are needed the first officer's call records a proposal and returns
    False; a second officer who asks for the same step and reason confirms it (True).
    Raises the workflow's errors, NotFound, and NotAuthentic for a changed row.
    """
    case = record.lock(session, office, report)
    record.refuse_purged(case)
    status = Status(case.status)
    wanted = (to.value, reason.value if reason else None)
    seconded = (
        (case.wanted_status, case.wanted_reason) == wanted
        and case.wanted_by is not None
        and case.wanted_by != by.id
    )
    try:
        office.rulebook.workflow.check(
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
        record.event(
            session,
            office,
            case,
            EventCode.APPROVAL_ASKED,
            by,
            now,
            _detail(to, reason),
        )
        cases.save(session, office.keys, case)
        record.witness(session, office, case, "proposed", by, now)
        return False
    if to is Status.NEEDS_INFO:
        case.before, case.paused_since = status.value, office.day(now)
    else:
        case.before = case.paused_since = None
    due_dates.enter(office, case, to, now)
    case.reason = wanted[1]
    case.wanted_status = case.wanted_reason = case.wanted_by = None
    record.event(session, office, case, EventCode.STATUS, by, now, _detail(to, reason))
    due_dates.set_due(session, office, case, now)
    cases.save(session, office.keys, case)
    reporters.tell(session, office, case, status=True, now=now)
    record.witness(session, office, case, "status", by, now)
    return True


def ask(
    session: Session,
    office: Office,
    report: bytes,
    text: str,
    *,
    by: Officer,
    now: datetime,
) -> None:
    """Ask the reporter something: sealed to them and to the case, told as they wished."""
    case = record.lock(session, office, report)
    record.refuse_purged(case)
    if case.reporter_key is None:
        raise NotFound("no receipt yet")
    content = record.content(ItemKind.QUESTION, text, by, now)
    sent = items.add_item(
        session,
        office.keys,
        report,
        content,
        audience=Audience.REPORTER,
        public=case.reporter_key,
        day=office.day(now),
    )
    record.item(session, office, case, EventCode.ITEM, by, now, sent)
    record.seal_to_case(session, office, case, content, EventCode.ASKED, by, now)
    cases.save(session, office.keys, case)
    reporters.tell(session, office, case, words=text, now=now)
    record.witness(session, office, case, "asked", by, now)


def note(
    session: Session,
    office: Office,
    report: bytes,
    text: str,
    *,
    by: Officer,
    now: datetime,
) -> None:
    """Keep an officer's note, sealed to the case; nobody is told."""
    case = record.lock(session, office, report)
    content = record.content(ItemKind.NOTE, text, by, now)
    record.seal_to_case(session, office, case, content, EventCode.NOTED, by, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "noted", by, now)


def take(
    session: Session, office: Office, report: bytes, *, by: Officer, now: datetime
) -> bool:
    """Make an officer the one who works on a case; False if somebody else has it."""
    case = record.lock(session, office, report)
    if case.officer is not None:
        return case.officer == by.id
    case.officer = by.id
    record.event(session, office, case, EventCode.TAKEN, by, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "taken", by, now)
    return True


def let_go(
    session: Session, office: Office, report: bytes, *, by: Officer, now: datetime
) -> None:
    """Put a case that this officer had back into the unit's queue."""
    case = record.lock(session, office, report)
    if case.officer != by.id:
        return
    case.officer = None
    record.event(session, office, case, EventCode.TAKEN, by, now, "let_go")
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "let_go", by, now)


def record_reading(
    session: Session, office: Office, report: bytes, *, by: Officer, now: datetime
) -> None:
    """Record that an officer opened a case's contents, and mark its news as seen."""
    case = record.lock(session, office, report)
    case.unread_from_reporter = False
    record.event(session, office, case, EventCode.READ_BY_OFFICER, by, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "read", by, now)


def _detail(to: Status, reason: Reason | None) -> str:
    return f"{to}:{reason}" if reason else to.value
