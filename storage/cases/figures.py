"""Counts of cases by the coarse facts that stand in clear on them; counters by day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func
from sqlalchemy import case as when
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from storage.database.statement import Statement
from storage.models import REAL, Case


@dataclass(frozen=True, slots=True)
class Figures:
    """Cases that came in a period: how many, open, late, and counts by each fact."""

    total: int
    open: int
    late: int
    by: dict[str, dict[str, int]]


def count(
    session: Session, first: date, last: date, *, today: date, above: bytes | None
) -> Figures:
    """Count the cases whose day lies in the period, both ends included.

    Those of the unit ``above`` us are left out: nobody else finds a trace of them.
    """
    period = (
        REAL,
        col(Case.day) >= first,
        col(Case.day) <= last,
        col(Case.unit) != (above or b""),
    )
    late = when((and_(col(Case.is_open), col(Case.due) < today), 1), else_=0)
    facts = (
        col(Case.status),
        col(Case.category),
        col(Case.position),
        col(Case.unit),
    )
    counted = (
        rows_of(*facts, col(Case.is_open), func.count(), func.sum(late))
        .where(*period)
        .group_by(*facts, col(Case.is_open))
    )
    cells = session.connection().execute(counted).all()
    days = session.exec(
        select(col(Case.day), func.count()).where(*period).group_by(col(Case.day))
    )
    months: Counter[str] = Counter()
    for day, n in days:
        months[f"{day:%Y-%m}"] += n
    return Figures(
        total=sum(cell[5] for cell in cells),
        open=sum(cell[5] for cell in cells if cell[4]),
        late=sum(cell[6] for cell in cells),
        by={
            "status": _by(cells, 0),
            "category": _by(cells, 1),
            "position": _by(cells, 2),
            "unit": {key.hex(): n for key, n in _by(cells, 3).items()},
            "month": dict(sorted(months.items())),
        },
    )


def _by(cells: Sequence[Any], place: int) -> dict[Any, int]:
    """Return how many cases have each value of one fact, the most first."""
    found: Counter[Any] = Counter()
    for cell in cells:
        found[cell[place]] += cell[5]
    return dict(sorted(found.items(), key=lambda row: (-row[1], str(row[0]))))


_BUMP = Statement(
    "INSERT INTO counters (day, name, count) VALUES (:day, :name, :by)"
    " ON CONFLICT (day, name) DO UPDATE SET count = counters.count + :by"
)


def bump(session: Session, name: str, *, day: date, by: int = 1) -> None:
    """Add to a day's counter."""
    _BUMP(session, day=day, name=name, by=by)
