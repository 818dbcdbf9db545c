"""Hot statements, as the driver takes them: no ORM, no compiling, one text for both dialects.

A message needs some ten of them. Through the ORM each costs a quarter of a millisecond of
processor time, through ``Statement`` a seventh of that; errors come out as SQLAlchemy's all the same.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Self

from sqlalchemy import Connection, CursorResult
from sqlmodel import Session

SQLITE = "sqlite"
_CONNECTION = "connection"
_LIST = re.compile(r":(\w+)\*")
_NAME = re.compile(r"(?<!:):(\w+)")


class Statement:
    """One statement: ``:name`` is a value, ``:name*`` a list of values, at least one.

    ``lock`` stands in the place of ``{lock}`` on PostgreSQL alone (SQLite has one writer).
    """

    def __init__(self, sql: str, *, lock: str = "") -> None:
        self._sql = sql
        self._lock = lock
        self._lists = tuple(dict.fromkeys(_LIST.findall(sql)))
        self._written: dict[tuple[str, tuple[int, ...]], str] = {}

    @classmethod
    def insert(cls, table: str, columns: Iterable[str], conflict: str = "") -> Self:
        """Return the insertion of one row, with a value for each column."""
        names = tuple(columns)
        quoted = ", ".join(f'"{name}"' for name in names)
        values = ", ".join(f":{name}" for name in names)
        return cls(f"INSERT INTO {table} ({quoted}) VALUES ({values}) {conflict}")  # nosec B608 # noqa: S608 - our own names

    def __call__(
        self,
        session: Session,
        **values: Any,  # noqa: ANN401 - what a driver takes
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run it in the session's transaction, after what the session has not written yet."""
        connection = _ready(session)
        dialect, lengths = connection.dialect.name, self._spread(values)
        if dialect == SQLITE:
            values = {name: _plain(value) for name, value in values.items()}
        return connection.exec_driver_sql(self._text(dialect, lengths), values)

    def many(self, session: Session, rows: Sequence[dict[str, Any]]) -> None:
        """Run it once for each row of values; such a statement takes no lists."""
        connection = _ready(session)
        dialect = connection.dialect.name
        if dialect == SQLITE:
            rows = [{name: _plain(one) for name, one in row.items()} for row in rows]
        if rows:
            connection.exec_driver_sql(self._text(dialect, ()), list(rows))

    def _spread(self, values: dict[str, Any]) -> tuple[int, ...]:
        """Give each value of a list a name of its own; returns how long the lists are."""
        lengths = []
        for name in self._lists:
            some = values.pop(name)
            lengths.append(len(some))
            values.update({f"{name}_{place}": one for place, one in enumerate(some)})
        return tuple(lengths)

    def _text(self, dialect: str, lengths: tuple[int, ...]) -> str:
        """Return the statement for lists of these lengths, written once."""
        known = self._written.get((dialect, lengths))
        if known is None:
            known = self._written[dialect, lengths] = self._write(dialect, lengths)
        return known

    def _write(self, dialect: str, lengths: tuple[int, ...]) -> str:
        sql = self._sql
        for name, length in zip(self._lists, lengths, strict=True):
            places = ", ".join(f":{name}_{place}" for place in range(length))
            sql = sql.replace(f":{name}*", places)
        if dialect == SQLITE:
            return sql.replace("{lock}", "")
        return _NAME.sub(r"%(\1)s", sql.replace("{lock}", self._lock))


def _ready(session: Session) -> Connection:
    """Write what the session holds back; return its connection, asked for once."""
    session.flush()
    known: Connection | None = session.info.get(_CONNECTION)
    if known is None or known.closed or not session.in_transaction():
        known = session.info[_CONNECTION] = session.connection()
    return known


def _plain(value: object) -> object:
    """Return what SQLite stores: a moment as text in UTC, a day as text."""
    if isinstance(value, datetime):
        plain = value.astimezone(UTC).replace(tzinfo=None)
        return plain.isoformat(sep=" ", timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def moment(stored: str | datetime) -> datetime:
    """Return a moment that a driver read, in UTC."""
    if isinstance(stored, datetime):
        return stored.astimezone(UTC)
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
