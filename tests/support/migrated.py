"""A store of today's schema, made once in a process and then copied.

Alembic reads every migration anew and takes a tenth of a second for an empty store, which
each proof of a backup makes. What it said to SQLite the first time is said again instead.
"""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from storage.database import schema
from storage.database.database import Database


@cache
def empty_store() -> bytes:
    """Return a migrated SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kentongan.db"
        store = Database(f"sqlite:///{path}")
        schema.upgrade(store)
        store.scrub()
        store.close()
        return path.read_bytes()


def migrate(database: Database) -> None:
    """Bring a store to today's schema; a new SQLite file gets it by copying."""
    path = Path(database.url.database or "")
    if database.is_sqlite and path.is_file() and not path.stat().st_size:
        path.write_bytes(empty_store())
    else:
        schema.upgrade(database)


_bring = schema.bring
_said: dict[str, list[tuple[str, Any]]] = {}
"""Statements that lead from an empty SQLite store to a revision."""


def migrate_by_heart() -> None:
    """Let alembic lead an empty SQLite store to a revision once in this process."""
    schema.bring = _brought


def _brought(connection: Connection, revision: str = "head") -> None:
    wanted = schema.head() if revision == "head" else revision
    at = _written(connection) if connection.dialect.name == "sqlite" else "elsewhere"
    if at:
        if at != wanted:
            _bring(connection, revision)
    elif wanted not in _said:
        _said[wanted] = _listened(connection, revision)
    else:
        if not connection.in_transaction():
            connection.begin()
        for statement, values in _said[wanted]:
            _raw(connection).execute(statement, values)


def _listened(connection: Connection, revision: str) -> list[tuple[str, Any]]:
    said: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        if not statement.lstrip().startswith(("SELECT", "PRAGMA", "BEGIN")):
            said.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    try:
        _bring(connection, revision)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    return said


def _written(connection: Connection) -> str:
    """Return what a store says of its revision; empty if it holds nothing at all.

    It is asked unseen by ``tests/tools/both_stores.py``.
    """
    ask = _raw(connection).execute
    tables = {name for (name,) in ask("SELECT name FROM sqlite_master")}
    if "alembic_version" not in tables:
        return "none" if tables else ""
    found = ask("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else "none"


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection
