"""Daily figures that lead to nobody."""

from datetime import date

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from storage.models import Counter


def bump(session: Session, name: str, *, day: date, by: int = 1) -> None:
    """Add to a day's counter."""
    connection = session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(
        insert(Counter)
        .values(day=day, name=name, count=by)
        .on_conflict_do_update(
            index_elements=[col(Counter.day), col(Counter.name)],
            set_={"count": col(Counter.count) + by},
        )
    )
