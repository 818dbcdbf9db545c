"""Figures for auditors: how many reports of which kind; no contents, nobody's name."""

from datetime import date

from starlette.responses import Response

from bot.console.visit import Visit
from storage.cases import figures as counted
from storage.units import above, units


def figures(visit: Visit) -> Response:
    """Show the counts of a period: this year unless another is asked for."""
    today = visit.console.office.day(visit.now)
    first = _day(visit.query.get("first", ""), date(today.year, 1, 1))
    last = _day(visit.query.get("last", ""), today)
    with visit.console.database.reading() as session:
        hidden = above.id_of(session, visit.console.office.keys)
        found = counted.count(session, first, last, today=today, above=hidden)
        names = {unit.id.hex(): unit.name for unit in units.everything(session)}
    return visit.page(
        "watch/figures.html",
        found=found,
        first=first,
        last=last,
        today=today,
        units=names,
        turned=first > last,
    )


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise
