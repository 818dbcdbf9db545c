"""Legal hold: a case that a legal process needs is kept until two officers let it go.

A hold stops every life in ``retention.toml`` that says so, and the erasure of identity,
contents and evidence on a reporter's wish; never the end of a contact.
"""

from collections.abc import Sequence

from handlers.cases import record
from handlers.errors import NotAllowed, SecondOfficerNeeded
from handlers.work import Work
from storage.cases import cases, history
from storage.models import Case, Event, Officer
from storage.words import EventCode, ItemKind, Role


def hold(work: Work, report: bytes, text: str, *, by: Officer) -> bool:
    """Keep a case, with the reason sealed to it; False if it is kept already.

    Raises NotAllowed for whoever is no supervisor, Purged where there is nothing to keep.
    """
    case = _locked(work, report, by)
    record.refuse_purged(case)
    if case.hold:
        return False
    case.hold = True
    _write(work, case, text, EventCode.HELD, by)
    return True


def release(work: Work, report: bytes, text: str, *, by: Officer) -> bool:
    """Let a case go, with the reason sealed to it; False if nobody keeps it.

    What has outlived its rule meanwhile goes within the hour, so it takes somebody else
    than who held it: SecondOfficerNeeded. Raises NotAllowed for whoever is no supervisor.
    """
    case = _locked(work, report, by)
    if not case.hold:
        return False
    held = last(history.of_case(work.store, report))
    if held is not None and held.officer == by.id:
        raise SecondOfficerNeeded
    case.hold = False
    _write(work, case, text, EventCode.RELEASED, by)
    return True


def last(events: Sequence[Event]) -> Event | None:
    """Return the event of a history that held the case last."""
    held = (event for event in reversed(events) if event.code == EventCode.HELD)
    return next(held, None)


def _locked(work: Work, report: bytes, by: Officer) -> Case:
    if by.role != Role.SUPERVISOR:
        raise NotAllowed
    return record.lock(work, report)


def _write(work: Work, case: Case, text: str, code: EventCode, by: Officer) -> None:
    content = record.content(ItemKind.NOTE, text, by, work.now)
    record.seal_to_case(work, case, content, code, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, code.value, by)
