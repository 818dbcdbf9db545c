"""``kentongan keys rotate`` and ``retire``: a new server or unit key, an old id's end."""

import os
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.clock import utc_now
from bot.commands.keys import status
from bot.operations.private_files import replace_private
from bot.terminal import desk
from bot.terminal.desk import ConfigFile, Desk, Refused
from storage.audit import log, manifests
from storage.crypto.server_key import ServerKeys
from storage.rekeying import server_key
from storage.units import rotation, units

_SHOWN = 4


def rotate(
    config_file: ConfigFile = None,
    unit: Annotated[
        str, typer.Option(help="Give this unit a new key; the server key stays.")
    ] = "",
) -> None:
    """Add a new server key and write everything under it that needs no person.

    Stop the server first. One that was stopped half-way goes on when it is run again.
    """
    with desk.sit_down(config_file) as seat:
        if unit:
            _rotate_unit(seat, unit)
            return
        server_key.refuse_running(seat.database, now=utc_now())
        keys = _with_new(seat)
        now = utc_now()
        zone = ZoneInfo(seat.settings.agency.timezone)
        outcome = server_key.run(
            seat.database, keys, now=now, day=now.astimezone(zone).date()
        )
    typer.echo(f"server key {keys.newest}: {outcome.rewritten} rows written under it")
    typer.echo("Everybody signs in again. Keep a copy of the key file, apart.")
    typer.echo("What still needs an older id: `kentongan keys status`.")
    if outcome.left:
        where = ", ".join(f"{name} {count}" for name, count in outcome.left.items())
        raise Refused(
            f"rows that are not ours were left as they are ({where}); run "
            "`kentongan audit verify`"
        )


def retire(
    key_id: Annotated[int, typer.Argument(metavar="ID", help="An old id.")],
    config_file: ConfigFile = None,
) -> None:
    """Take an old id out of the key file, once nothing needs it."""
    with desk.sit_down(config_file) as seat:
        if key_id not in seat.keys.ring or key_id == seat.keys.newest:
            raise Refused(f"{key_id} is no old id of this server key")
        server_key.refuse_running(seat.database, now=utc_now())
        with seat.database.reading() as session:
            rows = status.server_rows(session, seat.keys)
            needed = [row for row in rows if row["id"] == key_id and row["count"]]
        if needed:
            raise Refused(f"id {key_id} is still needed: {_reasons(needed)}")
        _refuse_elsewhere(seat)
        with seat.database.writing() as session:
            server_key.forget_id(session, seat.keys, key_id)
            detail, now = str(key_id), utc_now()
            log.record(
                session, seat.keys, "keys.retired", officer=None, detail=detail, now=now
            )
        path = seat.settings.keys.server_key_file
        replace_private(path, seat.keys.without(key_id).to_text())
    typer.echo(f"server key {key_id}: taken out of {path}")


def _rotate_unit(seat: Desk, name: str) -> None:
    with seat.database.writing() as session:
        found = units.named(session, seat.keys, name)
        generation = rotation.rotate(session, seat.keys, found)
        now, detail = utc_now(), f"{found.id.hex()}:{generation}"
        log.record(
            session, seat.keys, "unit.rotated", officer=None, detail=detail, now=now
        )
        manifests.witness(session, seat.keys, now=now)
    typer.echo(
        f"{name}: key of generation {generation}; its open cases are sealed to it when a "
        "member next signs in"
    )


def _with_new(seat: Desk) -> ServerKeys:
    """Return a ring whose newest id this store was not written under yet."""
    with seat.database.reading() as session:
        known = server_key.ids(session, seat.keys)
    if seat.keys.newest > max(known):
        return seat.keys
    _refuse_elsewhere(seat)
    keys = seat.keys.with_new()
    replace_private(seat.settings.keys.server_key_file, keys.to_text())
    return keys


def _refuse_elsewhere(seat: Desk) -> None:
    """Refuse where the key does not stand in a file that is ours to write."""
    where = seat.settings.keys
    place = ""
    if where.server_key:
        place = "KENTONGAN_KEYS__SERVER_KEY"
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and where.server_key_file.resolve().is_relative_to(
        os.path.realpath(folder)
    ):
        place = "a credential of systemd"
    if place:
        next_id = seat.keys.newest + 1
        raise Refused(
            f"the server key comes from {place}, which is not ours to write: keep its "
            f"lines, add there the line {next_id}: and the output of `openssl rand "
            "-base64 32` behind it, or take out an old one, then run this again"
        )


def _reasons(rows: list[dict[str, object]]) -> str:
    shown = [
        f"{row['count']} {row['table']}.{row['what']} ({row['stays'] or 'not rewritten'})"
        for row in rows[:_SHOWN]
    ]
    more = [f"and {len(rows) - _SHOWN} more kinds"] if len(rows) > _SHOWN else []
    return ", ".join([*shown, *more])
