"""What a command works with: settings, the server key, a store of this version's schema."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bot.settings import loading
from bot.settings.sections import Settings
from storage.audit import installation
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import COMMAND_WAIT, Database
from storage.rekeying import server_key


def _chosen(context: typer.Context, given: Path | None) -> Path | None:
    """Take the ``--config`` after the command's name, or the one before it."""
    before: Path | None = context.find_root().obj
    return given or before


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=_chosen,
        help="Path of config.toml; else KENTONGAN_CONFIG, else config.toml here.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table for people.")
]

RESTORING = ".restoring"
"""Stands among the evidence while a restore is under way."""


class Refused(Exception):
    """The command was refused; the line says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Desk:
    """An installation as a command finds it."""

    settings: Settings
    keys: ServerKeys
    database: Database


def settings_of(given: Path | None) -> Settings:
    """Read the settings. Raises BadConfig."""
    return loading.load(given, os.environ)


def config_path(given: Path | None) -> Path:
    """Return where config.toml is, or belongs."""
    named = os.environ.get("KENTONGAN_CONFIG")
    return given or (Path(named) if named else loading.DEFAULT_PATH)


def server_keys(settings: Settings) -> ServerKeys:
    """Read the server key. Raises BadConfig, BadServerKey."""
    text = loading.server_key(settings, os.environ)
    return ServerKeys.from_text(text.get_secret_value())


def store_exists(settings: Settings) -> bool:
    """Tell whether there is something to open; a server of PostgreSQL always is."""
    path = sqlite_file(settings)
    return path is None or path.exists()


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of a SQLite store, None for PostgreSQL."""
    scheme, _, rest = settings.database.url.get_secret_value().partition(":///")
    return Path(rest.partition("?")[0]) if scheme == "sqlite" else None


def refuse_half_restored(settings: Settings) -> None:
    """Raise Refused while the store is empty because a restore did not come to its end."""
    if (settings.files.path / RESTORING).exists():
        raise Refused(
            "a restore was interrupted and the database is still empty; run the same "
            "`kentongan restore FILE` again"
        )


@contextmanager
def store_of(settings: Settings) -> Iterator[Database]:
    """Open the store as it is, whatever its schema. Raises Refused when there is none."""
    if not store_exists(settings):
        raise Refused(
            f"{sqlite_file(settings)}: no such database; make one with `kentongan init`"
        )
    database = Database(settings.database.url.get_secret_value(), wait=COMMAND_WAIT)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def sit_down(given: Path | None) -> Iterator[Desk]:
    """Open everything a command needs; raises what keeps it from working, in one line."""
    settings = settings_of(given)
    keys = server_keys(settings)
    with store_of(settings) as database:
        if not schema.current(database):
            refuse_half_restored(settings)
            raise Refused("the database is empty; set it up with `kentongan init`")
        schema.check(database)
        with database.reading() as session:
            installation.get_setting(session, keys, "agency")  # a wrong key shows here
            server_key.require(session, keys, finished=False)
        yield Desk(settings, keys, database)
