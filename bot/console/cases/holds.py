"""Legal hold: keep a case for a legal process, let it go, and what is kept now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from bot.console import access
from bot.console.cases import case as case_page
from bot.console.visit import SeeOther, Visit
from handlers.cases import holds as verbs
from handlers.errors import Changed, KentonganError, NotFound, NotYours
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
    return _write(visit, verbs.hold, "held")


def release(visit: Visit) -> Response:
    """Let the case go."""
    return _write(visit, verbs.release, "released")


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


def _write(visit: Visit, verb: Callable[..., Any], done: str) -> Response:
    text = visit.form.get("why", "").replace("\r\n", "\n").strip()
    if not text or len(text) > MOST:
        problem = "TOO_LONG" if text else "EMPTY"
        return case_page.show(
            visit, problem=problem, typed=text[:MOST], field="why", status=422
        )
    try:
        visit.act(access.on_case, visit, verb, {"text": text}, _DEPENDS)
    except (NotFound, NotYours):
        raise
    except KentonganError as error:
        changed = error.detail.split() if isinstance(error, Changed) else ()
        return case_page.show(
            visit,
            problem=type(error).__name__,
            changed=changed,
            typed=text,
            field="why",
            status=409,
        )
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")
