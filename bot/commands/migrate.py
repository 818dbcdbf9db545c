"""``kentongan migrate``: bring the database to this version's schema."""

import typer

from bot.commands import desk
from bot.commands.desk import ConfigFile, Refused
from storage import migrating

NAME = "migrate"


def run(config_file: ConfigFile = None) -> None:
    """Bring the database to this version's schema; make a backup first."""
    with desk.store_of(desk.settings_of(config_file)) as database:
        before, wanted = migrating.current(database), migrating.head()
        if not before:
            raise Refused("the database is empty; set it up with `kentongan init`")
        migrating.upgrade(database)
    same = before == wanted
    typer.echo(
        f"schema {wanted}: nothing to do" if same else f"schema {before} -> {wanted}"
    )
