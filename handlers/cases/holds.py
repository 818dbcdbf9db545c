"""Legal hold: a case that a legal process needs is kept until two officers let it go.

A hold stops every life in ``retention.toml`` that says so, and the erasure of identity,
contents and evidence on a reporter's wish; never the end of a contact.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.cases import record
from handlers.errors import NotAllowed, SecondOfficerNeeded
from handlers.office import Office
from storage.cases import cases, history
from storage.models import Case, Event, Officer
from storage.words import EventCode, ItemKind, Role


def hold(
    session: Session,
    office: Office,
    report: bytes,
    text: str,
    *,
    by: Officer,
    now: datetime,
) -> bool:
    """Keep a case, with the reason sealed to it; False if it is kept already.

    Raises NotAllowed for whoever is no supervisor, Purged where there is nothing to keep.
    """
    case = _locked(session, office, report, by)
    record.refuse_purged(case)
    if case.hold:
        return False
    case.hold = True
    _write(session, office, case, text, EventCode.HELD, by, now)
    return True


def release(
    session: Session,
    office: Office,
    report: bytes,
    text: str,
    *,
    by: Officer,
    now: datetime,
) -> bool:
    """Let a case go, with the reason sealed to it; False if nobody keeps it.

    What has outlived its rule meanwhile goes within the hour, so it takes somebody else
    than who held it: SecondOfficerNeeded. Raises NotAllowed for whoever is no supervisor.
    """
    case = _locked(session, office, report, by)
    if not case.hold:
        return False
    held = last(history.of_case(session, report))
    if held is not None and held.officer == by.id:
        raise SecondOfficerNeeded
    case.hold = False
    _write(session, office, case, text, EventCode.RELEASED, by, now)
    return True


def last(events: Sequence[Event]) -> Event | None:
    """Return the event of a history that held the case last."""
    held = (event for event in reversed(events) if event.code == EventCode.HELD)
    return next(held, None)


def _locked(session: Session, office: Office, report: bytes, by: Officer) -> Case:
    if by.role != Role.SUPERVISOR:
        raise NotAllowed
    return record.lock(session, office, report)


def _write(
    session: Session,
    office: Office,
    case: Case,
    text: str,
    code: EventCode,
    by: Officer,
    now: datetime,
) -> None:
    content = record.content(ItemKind.NOTE, text, by, now)
    record.seal_to_case(session, office, case, content, code, by, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, code.value, by, now)
