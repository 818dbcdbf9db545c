"""What a failed transaction means, and the lock that orders one person's messages."""

from collections.abc import Iterable
from enum import Enum

from sqlalchemy import Connection, text
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.database import sqlstate

_CONFLICTS = frozenset(
    {"40001", "40P01", "55P03", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"}
)
_STORE_SQLITE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
_STORE_SQLITE_MORE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_NOMEM", "SQLITE_PERM")
_STORE_POSTGRES = ("08", "53", "57", "58", "25006", "XX")
_LOCK = text(
    "SELECT pg_advisory_xact_lock(h) FROM "
    "(SELECT unnest(CAST(:handles AS bigint[])) AS h ORDER BY 1) AS sorted"
)


class Failure(Enum):
    """The three ways to fail (DESIGN 3): each has its own cure."""

    MESSAGE = "message"
    CONFLICT = "conflict"
    STORE = "store"


def classify(error: BaseException) -> Failure:
    """Say what an exception out of a transaction means."""
    if isinstance(error, (DisconnectionError, InterfaceError, PoolTimeout, OSError)):
        return Failure.STORE
    if not isinstance(error, DBAPIError):
        return Failure.MESSAGE
    state = sqlstate(error)
    if state in _CONFLICTS:
        return Failure.CONFLICT
    if state.startswith(_STORE_SQLITE + _STORE_SQLITE_MORE + _STORE_POSTGRES):
        return Failure.STORE
    if error.connection_invalidated or (
        isinstance(error, OperationalError) and not state
    ):
        return Failure.STORE
    return Failure.MESSAGE


def lock_handles(connection: Connection, handles: Iterable[bytes]) -> None:
    """On PostgreSQL, order these people across replicas until the commit.

    One statement, sorted, before any insert: batches of many people cannot deadlock.
    SQLite has one writer and needs no lock.
    """
    if connection.dialect.name == "sqlite":
        return
    numbers = sorted(
        {int.from_bytes(handle[:8], "big", signed=True) for handle in handles}
    )
    if numbers:
        connection.execute(_LOCK, {"handles": numbers})
