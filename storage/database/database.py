"""Two doors to the store: one for writes, one for reads, on SQLite or PostgreSQL.

SQLite: WAL, ``synchronous=FULL``, ``secure_delete``, BEGIN IMMEDIATE for writes; reads use
connections that cannot write. PostgreSQL: READ COMMITTED through psycopg 3.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

_WRITER_PRAGMAS: tuple[str, ...] = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "foreign_keys=ON",
)
_READER_PRAGMAS = ("temp_store=MEMORY", "query_only=ON")
_BROKEN = (
    *("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB"),
    *(
        "SQLITE_READONLY_DBMOVED",
        "SQLITE_READONLY_RECOVERY",
        "SQLITE_READONLY_CANTINIT",
    ),
)
COMMAND_WAIT = 30.0
"""Seconds that a command waits for the writer of a running server."""


class Database:
    """One store. ``wait`` is how long a write waits for another process, in seconds."""

    def __init__(self, url: str, *, wait: float = 5.0, writers: int = 4) -> None:
        self.url = _driver(make_url(url))
        self.wait = wait
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.writers = 1 if self.is_sqlite else max(2, min(8, writers))
        if self.is_sqlite:
            _private_file(self.url)
        self.write_engine = self._engine(_WRITER_PRAGMAS, "BEGIN IMMEDIATE", wait)
        self.read_engine = self._engine(_READER_PRAGMAS, "BEGIN", wait)

    def _engine(self, pragmas: tuple[str, ...], begin: str, wait: float) -> Engine:
        options: dict[str, Any] = {"hide_parameters": True}
        if not self.is_sqlite:
            return create_engine(
                self.url,
                pool_pre_ping=True,
                pool_size=max(5, self.writers),
                connect_args={
                    "connect_timeout": max(2, int(wait)),
                    "prepare_threshold": 5,
                    "options": f"-c lock_timeout={int(wait * 1000)}",
                },
                **options,
            )
        engine = create_engine(
            _existing(self.url), connect_args={"timeout": wait}, **options
        )

        @event.listens_for(engine, "connect")
        def on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - a DBAPI connection
            connection.isolation_level = None
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def on_begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
            connection.exec_driver_sql(begin)

        @event.listens_for(engine, "handle_error")
        def on_error(context: ExceptionContext) -> None:
            if _is_broken(context.original_exception):
                context.is_disconnect = True

        return engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that only reads; it never waits for the writer."""
        options = {} if self.is_sqlite else {"postgresql_readonly": True}
        with (
            self.read_engine.connect().execution_options(**options) as connection,
            Session(connection, autoflush=False) as session,
        ):
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session in one write transaction: for commands and set-up.

        A running server writes through ``bot.writer`` only.
        """
        with (
            Session(self.write_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def scrub(self) -> bool:
        """Remove what deleted rows left behind; True when nothing is left.

        SQLite: fold the write-ahead log into the file and empty it. PostgreSQL: VACUUM.
        """
        if not self.is_sqlite:
            engine = self.write_engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text("VACUUM"))
            return True
        raw: Any = self.write_engine.raw_connection()
        try:
            raw.execute("PRAGMA busy_timeout=0")  # a reader must not hold up the writer
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            raw.execute(f"PRAGMA busy_timeout={int(self.wait * 1000)}")
        finally:
            raw.close()
        return not busy

    def close(self) -> None:
        """Close every connection."""
        self.read_engine.dispose()
        self.write_engine.dispose()


def _is_broken(error: BaseException) -> bool:
    """Tell whether an SQLite connection will fail for ever: its file is another's by now.

    One that is kept would refuse everything after the file is long back in its place.
    """
    return str(getattr(error, "sqlite_errorname", "")).startswith(_BROKEN)


def sqlstate(error: DBAPIError) -> str:
    """Return PostgreSQL's SQLSTATE or SQLite's error name; empty if there is none."""
    origin = error.orig
    state = getattr(origin, "sqlstate", None) or getattr(
        origin, "sqlite_errorname", None
    )
    return str(state or "")


def _driver(url: URL) -> URL:
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _existing(url: URL) -> URL:
    """Return an address that opens a file and never makes one.

    While a disk is away an empty store in its place would take messages, and be lost.
    """
    if not url.database:
        return url
    path = quote(str(Path(url.database).absolute()))
    return url.set(database=f"file:{path}", query={"uri": "true", "mode": "rw"})


def _private_file(url: URL) -> None:
    path = Path(url.database or "")
    if url.database and not path.exists() and path.parent.is_dir():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
