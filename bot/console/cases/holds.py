"""Legal hold: keep a case for a legal process, let it go, and what is kept now."""

from dataclasses import dataclass

from starlette.responses import Response

from bot.console.cases import acts
from bot.console.visit import Visit
from handlers.cases import holds as verbs
from storage.cases import conflicts, history
from storage.cases.case_version import Part
from storage.models import Case, Event
from storage.people import officers
from storage.retention import overdue
from storage.units import memberships
from storage.words import Role

MOST = 1000
_DEPENDS = frozenset({Part.HOLD, Part.UNIT})


@dataclass(frozen=True, slots=True)
class Line:
    """A case that is kept: since when and by whom, and whether its page is open to us."""

    case: Case
    held: Event | None
    who: str
    ours: bool


def hold(visit: Visit) -> Response:
    """Keep the case."""
    return acts.write(visit, verbs.hold, "why", MOST, "held", depends=_DEPENDS)


def release(visit: Visit) -> Response:
    """Let the case go."""
    return acts.write(visit, verbs.release, "why", MOST, "released", depends=_DEPENDS)


def holds(visit: Visit) -> Response:
    """List what is kept: a supervisor's own units, for the auditor everything."""
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        mine = {unit.id for unit in memberships.units_of(session, keys, visit.officer)}
        people = officers.names(session, keys)
        barred = conflicts.barred(session, visit.officer.id)
        lines = []
        for case in overdue.held(session):
            if case.unit not in mine and visit.officer.role != Role.AUDITOR:
                continue
            if case.report in barred:
                continue
            held = verbs.last(history.of_case(session, case.report))
            who = people.get(held.officer or b"", "") if held else ""
            lines.append(Line(case, held, who, case.unit in mine))
    return visit.page("cases/holds.html", lines=lines)
