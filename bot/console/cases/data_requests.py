"""What reporters asked about their own data: the panel of a case, and the list of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session
from starlette.responses import Response

from bot.console.visit import Visit
from storage.cases import conflicts, data_requests
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, DataRequest, Event
from storage.units import memberships
from storage.words import RequestKind


@dataclass(frozen=True, slots=True)
class Line:
    """An open request: days until the first answer and until it is done, 0 for today."""

    row: DataRequest
    answer_left: int
    left: int
    case: Case | None = None
    is_ours: bool = True

    @property
    def id(self) -> str:
        """Return the request's id as an address holds it."""
        return self.row.id.hex()


@dataclass(frozen=True, slots=True)
class Panel:
    """The open requests to one case; ``broken`` where a row of them is not ours, or gone."""

    lines: tuple[Line, ...] = ()
    restricted: date | None = None
    broken: bool = field(default=False)


def panel(visit: Visit, session: Session, case: Case, events: Sequence[Event]) -> Panel:
    """Return what a case's page shows of the reporter's requests."""
    today = visit.console.office.day(visit.now)
    try:
        rows = data_requests.open_of(session, visit.console.office.keys, case.report)
    except NotAuthentic:
        return Panel(broken=True)
    asked = [row.day for row in rows if row.kind == RequestKind.RESTRICT]
    return Panel(
        tuple(_line(row, today) for row in rows),
        restricted=asked[0] if asked else None,
        broken=not data_requests.are_whole(events, rows),
    )


def requests(visit: Visit) -> Response:
    """List every open request of the officer's units, what is overdue first."""
    keys, today = visit.console.office.keys, visit.console.office.day(visit.now)
    with visit.console.database.reading() as session:
        mine = [unit.id for unit in memberships.units_of(session, keys, visit.officer)]
        barred = conflicts.barred(session, visit.officer.id)
        found = data_requests.open_in(session, mine, barred)
    lines = [
        _line(row, today, case, is_ours=_is_ours(visit, row)) for row, case in found
    ]
    lines.sort(key=lambda line: (min(line.answer_left, line.left), line.id))
    return visit.page("cases/data_requests.html", lines=lines)


def _line(
    row: DataRequest, today: date, case: Case | None = None, *, is_ours: bool = True
) -> Line:
    left = (row.due - today).days
    return Line(row, (row.answer_due - today).days, left, case, is_ours)


def _is_ours(visit: Visit, row: DataRequest) -> bool:
    try:
        data_requests.check(visit.console.office.keys, row)
    except NotAuthentic:
        return False
    return True
