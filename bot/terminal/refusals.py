"""From an exception to the one line that a command prints.

Our own exceptions carry their line, or their docstring is it. The store's errors are put
into words here; anything else is a fault of ours and is named by its class alone.
"""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.telemetry import log_fields
from storage.crypto.sealing import NotAuthentic
from storage.database import transactions
from storage.database.database import sqlstate
from storage.database.transactions import Failure

_OURS = frozenset({"bot", "handlers", "storage"})
_NO_TABLE = "42P01"
_LOCKED = "the database is locked by another process; stop it, or try again"
_STATES = {
    _NO_TABLE: "the database has another schema; run `kentongan migrate`",
    "42703": "the database has another schema; run `kentongan migrate`",
    "SQLITE_BUSY": _LOCKED,
    "55P03": _LOCKED,
    "SQLITE_READONLY": "the database is read-only; check owner and mode of file and folder",
    "25006": "the database is read-only; connect to the server that takes writes",
    "SQLITE_NOTADB": "database.url names a file that is no SQLite database; correct it",
    "SQLITE_CORRUPT": "the database file is damaged; keep it and restore the last backup",
    "SQLITE_FULL": "the disk is full; make room and try again",
    "53100": "the database server's disk is full; make room and try again",
    "28": "the database server refuses the login; check user and password in database.url",
    "3D000": "the database server has no such database; create it, or correct database.url",
}
"""What to do, by the beginning of PostgreSQL's SQLSTATE or SQLite's error name."""


def line(error: Exception) -> str:
    """Return one line that says what is wrong and what to do; empty for a fault of ours."""
    if isinstance(error, NotAuthentic):
        return (
            "the server key does not belong to this database, or a row was changed by "
            "hand; look at keys.server_key_file, then run `kentongan audit verify`"
        )
    if type(error).__module__.partition(".")[0] in _OURS:
        return _joined(str(error) or type(error).__doc__ or type(error).__name__)
    if isinstance(error, SQLAlchemyError):
        return _store(error)
    if isinstance(error, OSError):
        reason = (error.strerror or "cannot be used").lower()
        return f"{error.filename}: {reason}" if error.filename else reason
    return ""


def unexpected(error: Exception) -> str:
    """Return the line for a fault of ours: the class, never a value."""
    name = log_fields.class_name(type(error))
    return f"unexpected error {name}; the log line above says where, please report it"


def _store(error: SQLAlchemyError) -> str:
    if not isinstance(error, DBAPIError):
        return ""
    state = sqlstate(error)
    if state == "SQLITE_ERROR" and "no such" in str(error.orig):
        state = _NO_TABLE
    for beginning, words in _STATES.items():
        if state.startswith(beginning):
            return words
    if transactions.classify(error) is Failure.STORE:
        return "the database cannot be used; check database.url, and that it runs"
    return ""


def _joined(text: str) -> str:
    """Return the first paragraph of a text as one line."""
    return " ".join(text.strip().partition("\n\n")[0].split())
