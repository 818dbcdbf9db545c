"""``kentongan migrate``: bring the database to this version's schema."""

from pathlib import Path
from typing import Annotated

import typer

from bot.clock import utc_now
from bot.commands import backup
from bot.terminal import desk
from bot.terminal.desk import ConfigFile, Desk, Refused
from storage.database import schema
from storage.rekeying import server_key


def migrate(
    config_file: ConfigFile = None,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--backup", metavar="FILE", help="First make a backup: a file or a folder."
        ),
    ] = None,
) -> None:
    """Bring the database to this version's schema, in one step; stop the server first."""
    settings = desk.settings_of(config_file)
    with desk.store_of(settings) as database:
        before, wanted = schema.current(database), schema.head()
        if not before:
            desk.refuse_half_restored(settings)
            raise Refused("the database is empty; set it up with `kentongan init`")
        if not schema.is_known(before):
            raise schema.SchemaTooNew
        if to is not None:
            seat = Desk(settings, desk.server_keys(settings), database)
            typer.echo(_backed_up(seat, to))
        if before != wanted:
            server_key.refuse_running(database, now=utc_now())
            schema.upgrade(database)
    same = before == wanted
    typer.echo(
        f"schema {wanted}: nothing to do" if same else f"schema {before} -> {wanted}"
    )
    if not same and to is None:
        typer.echo("Next time give --backup FOLDER: there is no way back without one.")


def _backed_up(seat: Desk, to: Path) -> str:
    path, proof = backup.written(seat, to, now=utc_now())
    backup.refuse_faults(path, proof)
    return backup.told(path, proof)
