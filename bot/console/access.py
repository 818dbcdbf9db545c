"""Which cases an officer may reach: those of their own units; all others are "not found".

Also the line in a case's history that an officer read it, and the frame of every form
on a case: account and membership are checked again in the verb's own transaction.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from bot.console.visit import Visit
from handlers import authority
from handlers.cases import officer as verbs
from handlers.errors import NotFound
from handlers.work import Work
from storage.cases import cases, conflicts, history
from storage.models import Case, Unit
from storage.units import memberships
from storage.words import EventCode

READ_AGAIN = timedelta(hours=1)
"""Reading twice within this time is one line of the history."""


def find(visit: Visit, session: Session, number: str) -> tuple[Case, Unit]:
    """Return the verified case and its unit if the officer sits in it.

    Raises NotFound, for a case of another unit and for one on which the officer declared
    a conflict too: nobody learns which numbers exist.
    """
    keys = visit.console.office.keys
    found = cases.by_number(session, keys, number.upper())
    if found is None or conflicts.is_barred(session, found.report, visit.officer.id):
        raise NotFound
    for unit in memberships.units_of(session, keys, visit.officer):
        if found.unit == unit.id:
            return found, unit
    raise NotFound


def record_reading(visit: Visit) -> None:
    """Write into the history that the officer reads the case, before anything is shown."""
    number = visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found, _ = find(visit, session, number)
        due = _reading_due(visit, session, found)
    if due:
        visit.act(on_case, visit, verbs.record_reading, {})


def _reading_due(visit: Visit, session: Session, found: Case) -> bool:
    if found.unread_from_reporter:
        return True
    me = visit.officer.id
    for event in reversed(history.of_case(session, found.report)):
        if event.code == EventCode.READ_BY_OFFICER and event.officer == me:
            return event.at is None or visit.now - event.at >= READ_AGAIN
    return True


def on_case(
    work: Work,
    visit: Visit,
    verb: Callable[..., Any],
    arguments: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - whatever the verb returns
    """Run a verb on the case of this address, in the verb's own transaction.

    Account and membership are asked for once more: they may have ended since the page was
    shown. None for a form that was sent before. Raises NotYours, NotFound, and what the
    verb raises.
    """
    officer = authority.present(work, visit.officer.id)
    number = visit.request.path_params["number"].upper()
    report = cases.report_of(work.store, number)
    found = cases.lock(work.store, work.keys, report) if report else None
    if found is None or not authority.reaches(work, found, officer):
        raise NotFound
    if visit.is_repeat(work):
        return None
    return verb(work, found.report, by=officer, **arguments)
