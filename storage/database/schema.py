"""Bringing a store to this version's schema, and refusing one that is newer."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from storage.database.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = text("SELECT pg_advisory_xact_lock(7091430183)")
_TABLE = "alembic_version"
_WRITTEN = text("SELECT version_num FROM alembic_version")
_MIGRATIONS = Path(__file__).parents[1] / "migrations"


class SchemaTooNew(Exception):
    """The store was written by a newer version; install that version, change nothing here."""


class SchemaTooOld(Exception):
    """The store has an older schema; run ``kentongan migrate`` and start again."""


def head() -> str:
    """Return the revision that this version needs."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Return every revision in order: the names of their files begin with them.

    Alembic, which knows them too, is loaded for a migration only: it takes a command longer
    than all else that it loads.
    """
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


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
    from alembic import command  # noqa: PLC0415 - see revisions

    config = config_of_alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revision_of(connection: Connection) -> str:
    """Return the revision behind a connection; empty for a store without tables."""
    if not inspect(connection).has_table(_TABLE):
        return ""
    return str(connection.execute(_WRITTEN).scalar_one_or_none() or "")


def is_known(revision: str) -> bool:
    """Tell whether this version knows a revision."""
    return revision in revisions()


def config_of_alembic() -> "Config":
    """Tell alembic where the migrations stand."""
    from alembic.config import Config  # noqa: PLC0415 - see revisions

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
