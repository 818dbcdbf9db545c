"""What every failure of a driver means: a sick store must never cost a message its place."""

import sqlite3

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.database.transactions import Failure, classify

MESSAGE, CONFLICT, STORE = Failure.MESSAGE, Failure.CONFLICT, Failure.STORE

SQLITE = {
    "SQLITE_BUSY": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_BUSY_RECOVERY": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_BUSY_SNAPSHOT": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_BUSY_TIMEOUT": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_LOCKED": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_LOCKED_SHAREDCACHE": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_PROTOCOL": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_SCHEMA": (sqlite3.OperationalError, CONFLICT),
    "SQLITE_AUTH": (sqlite3.DatabaseError, STORE),
    "SQLITE_CANTOPEN_ISDIR": (sqlite3.OperationalError, STORE),
    "SQLITE_CORRUPT_INDEX": (sqlite3.DatabaseError, STORE),
    "SQLITE_ERROR": (sqlite3.OperationalError, STORE),
    "SQLITE_FULL": (sqlite3.OperationalError, STORE),
    "SQLITE_INTERNAL": (sqlite3.InternalError, STORE),
    "SQLITE_INTERRUPT": (sqlite3.OperationalError, STORE),
    "SQLITE_IOERR_FSYNC": (sqlite3.OperationalError, STORE),
    "SQLITE_NOTADB": (sqlite3.DatabaseError, STORE),
    "SQLITE_PERM": (sqlite3.OperationalError, STORE),
    "SQLITE_READONLY_DBMOVED": (sqlite3.OperationalError, STORE),
    "SQLITE_CONSTRAINT_UNIQUE": (sqlite3.IntegrityError, MESSAGE),
    "SQLITE_MISMATCH": (sqlite3.IntegrityError, MESSAGE),
    "SQLITE_TOOBIG": (sqlite3.DataError, MESSAGE),
    "": (sqlite3.ProgrammingError, MESSAGE),
}
POSTGRES = {
    "25P02": CONFLICT,  # in failed sql transaction
    "40001": CONFLICT,  # serialization failure
    "40002": CONFLICT,  # transaction integrity constraint violation
    "40003": CONFLICT,  # statement completion unknown
    "40P01": CONFLICT,  # deadlock detected
    "55006": CONFLICT,  # object in use
    "55P03": CONFLICT,  # lock not available
    "08006": STORE,  # connection failure
    "0A000": STORE,  # feature not supported: a cached plan after a migration
    "25006": STORE,  # read only sql transaction
    "25P03": STORE,  # idle in transaction session timeout
    "28000": STORE,  # invalid authorization specification
    "28P01": STORE,  # invalid password
    "3D000": STORE,  # invalid catalog name
    "3F000": STORE,  # invalid schema name
    "42501": STORE,  # insufficient privilege
    "42703": STORE,  # undefined column
    "42P01": STORE,  # undefined table
    "53100": STORE,  # disk full
    "53300": STORE,  # too many connections
    "55000": STORE,  # object not in prerequisite state
    "57014": STORE,  # query canceled
    "57P01": STORE,  # admin shutdown
    "58030": STORE,  # io error
    "XX001": STORE,  # data corrupted
    "22P05": MESSAGE,  # untranslatable character
    "22001": MESSAGE,  # string data right truncation
    "23505": MESSAGE,  # unique violation
    "23514": MESSAGE,  # check violation
    "42601": MESSAGE,  # syntax error
    "42804": MESSAGE,  # datatype mismatch
}


def wrapped(origin: BaseException, base: type[Exception]) -> BaseException:
    """Return the driver's error as SQLAlchemy would raise it."""
    return DBAPIError.instance(None, None, origin, base)


@pytest.mark.parametrize("name", SQLITE)
def test_sqlite(name):
    kind, meaning = SQLITE[name]
    origin = kind("x")
    if name:
        origin.sqlite_errorname = name
    assert classify(wrapped(origin, sqlite3.Error)) is meaning


@pytest.mark.parametrize("state", POSTGRES)
def test_postgresql(state):
    origin = psycopg.errors.lookup(state)("x")
    assert origin.sqlstate == state
    assert classify(wrapped(origin, psycopg.Error)) is POSTGRES[state]


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (DisconnectionError(), STORE),
        (PoolTimeout(), STORE),
        (OSError(), STORE),
        (MemoryError(), STORE),
        (wrapped(psycopg.OperationalError("x"), psycopg.Error), STORE),
        (wrapped(psycopg.InterfaceError("x"), psycopg.Error), STORE),
        (ValueError(), MESSAGE),
        (OverflowError(), MESSAGE),
        (PendingRollbackError(), MESSAGE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_state(error, meaning):
    assert classify(error) is meaning


def test_a_connection_that_broke_is_the_stores():
    error = wrapped(psycopg.errors.lookup("42601")("x"), psycopg.Error)
    assert isinstance(error, DBAPIError)
    error.connection_invalidated = True
    assert classify(error) is STORE


def test_a_real_missing_table_is_the_stores():
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT 1 FROM nowhere"))
    engine.dispose()
    assert classify(caught.value) is STORE
