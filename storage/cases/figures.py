"""Counts of cases by the coarse facts that stand in clear on them; counters by day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func
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
        Case.unit != (above or b""),
    )

    def number(*where: Any) -> int:  # noqa: ANN401 - SQLAlchemy's conditions share no type
        return session.exec(select(func.count()).where(*period, *where)).one()

    by = {
        name: _by(session, period, column)
        for name, column in (
            ("status", Case.status),
            ("category", Case.category),
            ("position", Case.position),
            ("unit", Case.unit),
        )
    }
    by["unit"] = {key.hex(): n for key, n in by["unit"].items()}
    days = _by(session, period, Case.day)
    months: dict[str, int] = {}
    for day, n in days.items():
        month = f"{day:%Y-%m}"
        months[month] = months.get(month, 0) + n
    by["month"] = dict(sorted(months.items()))
    waiting = col(Case.is_open).is_(True)
    return Figures(
        total=number(),
        open=number(waiting),
        late=number(waiting, col(Case.due) < today),
        by=by,
    )


def _by(session: Session, period: Any, column: Any) -> dict[Any, int]:  # noqa: ANN401 - a column's own type
    rows = session.exec(
        select(column, func.count()).where(*period).group_by(col(column))
    )
    return dict(sorted(rows.all(), key=lambda row: (-row[1], str(row[0]))))


_BUMP = Statement(
    "INSERT INTO counters (day, name, count) VALUES (:day, :name, :by)"
    " ON CONFLICT (day, name) DO UPDATE SET count = counters.count + :by"
)


def bump(session: Session, name: str, *, day: date, by: int = 1) -> None:
    """Add to a day's counter."""
    _BUMP(session, day=day, name=name, by=by)
