"""A store to try things on: SQLite keeps it in memory and, when large, in a nameless file.

The nameless file has no name from its first byte on: whatever kills us, nothing of it
stays. Where it lies says ``SQLITE_TMPDIR`` or ``TMPDIR``, else /var/tmp.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.pool import StaticPool

from storage.database import schema

_VERSIONS = "alembic_version"
_CACHE_KIB = 65536


@contextmanager
def store() -> Iterator[Connection]:
    """Yield a connection to an empty store, in a transaction; it goes with the block."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect("", isolation_level=None),
        poolclass=StaticPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        connection.exec_driver_sql("BEGIN")

    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@cache
def table_names(revision: str) -> frozenset[str]:
    """Return the names of our tables at a revision that this version knows."""
    with store() as connection:
        schema.bring(connection, revision)
        return frozenset(inspect(connection).get_table_names()) - {_VERSIONS}
