"""What a failed transaction means; a person's lock; values kept for one transaction.

``lock_handles`` orders one person's messages across replicas. ``once`` asks for a value
only once in a transaction: a batch of 64 messages checks routes and units one time.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeAlias, TypeVar, cast

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from storage.database.database import sqlstate

Store: TypeAlias = Session
"""What the functions of ``storage`` read and write by: one transaction's session."""
_CONFLICTS = (
    *("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL", "SQLITE_SCHEMA"),
    *("40", "25P02", "55006", "55P03"),
)
"""Beginnings of states after which the same transaction may succeed at once: lost races,
an aborted transaction, a statement prepared before the schema changed."""
_STORE = ("08", "25", "28", "3D", "3F", "42501", "42P01", "42703")
"""Programming errors by name, faults of the store by meaning: no session, no database, no
right, a schema that is not ours."""
_OURS = (DataError, IntegrityError, ProgrammingError)
_LOCK = text(
    "SELECT pg_advisory_xact_lock(h) FROM "
    "(SELECT unnest(CAST(:handles AS bigint[])) AS h ORDER BY 1) AS sorted"
)


class Failure(Enum):
    """The three ways to fail; each has its own cure."""

    MESSAGE = "message"
    CONFLICT = "conflict"
    STORE = "store"


def classify(error: BaseException) -> Failure:
    """Say what an exception out of a transaction means.

    A driver's error is the store's unless it can only come from what was to be written:
    a message must never go into quarantine because the store was ill.
    """
    away = (DisconnectionError, InterfaceError, PoolTimeout, OSError, MemoryError)
    if isinstance(error, away):
        return Failure.STORE
    if not isinstance(error, DBAPIError):
        return Failure.MESSAGE
    state = sqlstate(error)
    if state.startswith(_CONFLICTS):
        return Failure.CONFLICT
    if error.connection_invalidated or state.startswith(_STORE):
        return Failure.STORE
    return Failure.MESSAGE if isinstance(error, _OURS) else Failure.STORE


def hold_people(session: Session, names: Iterable[bytes]) -> None:
    """Order what follows with the messages of these people, by their keyed names."""
    lock_handles(session.connection(), names)


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


def when_durable(session: Session, act: Callable[[], None]) -> None:
    """Do something in memory once this transaction is committed, and only then."""
    event.listen(session, "after_commit", lambda _: act(), once=True)


T = TypeVar("T")
_PLACE = "remembered"


def once(session: Session, what: tuple[object, ...], find: Callable[[], T]) -> T:
    """Return what ``find`` gives, asking it only once in this session."""
    known: dict[tuple[object, ...], object] = session.info.setdefault(_PLACE, {})
    if what not in known:
        known[what] = find()
    return cast("T", known[what])


def forget(session: Session) -> None:
    """Forget everything: it is about to change."""
    session.info.pop(_PLACE, None)
