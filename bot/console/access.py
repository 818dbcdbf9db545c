"""Which cases an officer may reach: those of their own units; all others are "not found".

Also the line in a case's history that an officer read it, and the frame of every form
on a case: account, membership and what the form was made for are checked again in the
verb's own transaction.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from bot.console.visit import Visit
from handlers import authority
from handlers.cases import officer as verbs
from handlers.errors import Changed, NotFound
from handlers.work import Work
from storage.cases import case_version, cases, conflicts, history
from storage.cases.case_version import Part, Version
from storage.models import Case, Unit
from storage.units import memberships
from storage.words import EventCode

NO_VERSION = "page"
"""What is said to have changed where a form does not tell what it was made for."""
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
    depends: Collection[Part] = (),
    seen: Version | None = None,
) -> Any:  # noqa: ANN401 - whatever the verb returns
    """Run a verb on the case of this address, in the verb's own transaction.

    Account and membership are asked for once more: they may have ended since the page was
    shown. None for a form that was sent before. ``depends`` are the parts of the case that
    must still be as the form shows them, or as ``seen``. Raises NotYours, NotFound,
    Changed with these parts, and what the verb raises.
    """
    officer = authority.present(work, visit.officer.id)
    number = visit.request.path_params["number"].upper()
    report = cases.report_of(work.store, number)
    found = cases.lock(work.store, work.keys, report) if report else None
    if found is None or not authority.reaches(work, found, officer):
        raise NotFound
    if visit.is_repeat(work):
        return None
    if depends:
        _refuse_stale(work, visit, found, depends, seen)
    return verb(work, found.report, by=officer, **arguments)


def _refuse_stale(
    work: Work,
    visit: Visit,
    found: Case,
    depends: Collection[Part],
    seen: Version | None,
) -> None:
    shown = case_version.read(visit.form.get("version", "")) if seen is None else seen
    if not shown:
        raise Changed(NO_VERSION)
    now = case_version.of(found, history.of_case(work.store, found.report))
    parts = case_version.changed(shown, now, depends)
    if parts:
        raise Changed(" ".join(parts))
