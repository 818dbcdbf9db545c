"""Bringing a store to this version's schema, and refusing one that is newer."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from storage.database.database import Database

_LOCK = text("SELECT pg_advisory_xact_lock(7091430183)")


class SchemaTooNew(Exception):
    """The store was written by a newer version; install that version, change nothing here."""


class SchemaTooOld(Exception):
    """The store has an older schema; run ``kentongan migrate`` and start again."""


def head() -> str:
    """Return the revision that this version needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database: Database) -> str:
    """Return the store's revision; empty for a store without tables."""
    with database.read_engine.connect() as connection:
        return revision_of(connection)


def check(database: Database) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the store fits this version."""
    found = current(database)
    if found == head():
        return
    if found and not is_known(found):
        raise SchemaTooNew
    raise SchemaTooOld


def upgrade(database: Database) -> None:
    """Bring the store to this version's schema, in one transaction.

    Two at once: the second waits and finds nothing to do. Whatever ends it half-way leaves
    the old schema. Raises SchemaTooNew for a store of a newer version.
    """
    with database.write_engine.begin() as connection:
        be_alone(connection)
        found = revision_of(connection)
        if found and not is_known(found):
            raise SchemaTooNew
        bring(connection)


def be_alone(connection: Connection) -> None:
    """Let nobody else change the schema until the commit; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def bring(connection: Connection, revision: str = "head") -> None:
    """Bring what is behind a connection to a revision, in the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revision_of(connection: Connection) -> str:
    """Return the revision behind a connection; empty for a store without tables."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def is_known(revision: str) -> bool:
    """Tell whether this version knows a revision."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def _config() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations")
    )
    config.set_main_option("path_separator", "os")
    return config
