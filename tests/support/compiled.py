"""Statements compiled once in a process, not once more for each test's own engine.

A program has two engines as long as it lives; a test run has thousands, and a fifth of its
time went into making the same SQL again.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from storage.database.database import Database

STATEMENTS: LRUCache[Any, Any] = LRUCache(4096)


def compile_once() -> None:
    """Let all stores of this process share what SQLAlchemy compiled.

    A compiled statement is found by its dialect; here two are the same if of one kind,
    because a run has one SQLite and one PostgreSQL.
    """
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    make = Database._engine  # noqa: SLF001 - tests alone share it

    def sharing(
        self: Database, pragmas: tuple[str, ...], begin: str, wait: float
    ) -> Engine:
        engine = make(self, pragmas, begin, wait)
        engine._compiled_cache = STATEMENTS  # noqa: SLF001 - as above
        return engine

    Database._engine = sharing  # type: ignore[method-assign]  # noqa: SLF001 - as above
