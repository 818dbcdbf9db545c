"""Bringing a store to this version's schema, and refusing one that is newer."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from storage.database import Database


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
        return MigrationContext.configure(connection).get_current_revision() or ""


def check(database: Database) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the store fits this version."""
    found = current(database)
    if found == head():
        return
    if found and not _known(found):
        raise SchemaTooNew
    raise SchemaTooOld


def upgrade(database: Database) -> None:
    """Bring the store to this version's schema, in one transaction.

    Raises SchemaTooNew for a store of a newer version.
    """
    found = current(database)
    if found and not _known(found):
        raise SchemaTooNew
    config = _config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _known(revision: str) -> bool:
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def _config() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).with_name("migrations"))
    )
    config.set_main_option("path_separator", "os")
    return config
