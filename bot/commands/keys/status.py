"""``kentongan keys status``: what each key is needed for. No secret is ever printed."""

import json
from collections.abc import Iterator
from typing import Any

import typer
from sqlmodel import Session

from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile
from storage.crypto import fingerprints
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.rekeying import places, server_key, unit_keys
from storage.units import memberships, recovery_keys, units

_NAMED_BY_DAY = ("inbox", "departed")


def run(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """Say what still needs each id of the server key, and how units and recovery stand."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        found = {
            "server_key": list(server_rows(session, seat.keys)),
            "units": list(_unit_rows(session, seat.keys)),
            "recovery": list(_recovery_rows(session, seat.keys)),
        }
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for title, rows in found.items():
        typer.echo(f"{title.replace('_', ' ')}:")
        printing.listing(rows, as_json=False)


def server_rows(session: Session, keys: ServerKeys) -> Iterator[dict[str, Any]]:
    """Yield, for each id, every kind of value that needs it; one row where none does."""
    since = server_key.ids(session, keys)
    needs = places.needs(session, keys)
    for key_id in sorted({*keys.ring, *since, *(need.key_id for need in needs)}):
        head = {
            "id": key_id,
            "newest": key_id == keys.newest,
            "in_file": key_id in keys.ring,
            "since": day.isoformat() if (day := since.get(key_id)) else None,
        }
        rows = [
            {
                "table": need.place.table,
                "what": need.place.column,
                "count": need.count,
                "stays": need.place.stays or None,
            }
            for need in needs
            if need.key_id == key_id
        ]
        rows += _names(session, keys, key_id)
        nothing: dict[str, Any] = {
            "table": None,
            "what": None,
            "count": 0,
            "stays": None,
        }
        for row in rows or [nothing]:
            yield head | row


def _names(session: Session, keys: ServerKeys, key_id: int) -> list[dict[str, Any]]:
    """Count bare names of the days in which an older id was the newest."""
    since = server_key.ids(session, keys)
    later = [day for number, day in since.items() if number > key_id and day]
    if key_id not in since or not later:
        return []
    found = []
    for table in _NAMED_BY_DAY:
        count = places.named_until(session, table, min(later))
        place = next(one for one in places.PLACES if one.name == f"{table}.name")
        if count:
            found.append(
                {"table": table, "what": "name", "count": count, "stays": place.stays}
            )
    return found


def _unit_rows(session: Session, keys: ServerKeys) -> Iterator[dict[str, Any]]:
    for unit in units.everything(session):
        yield {
            "unit": unit.name,
            "kind": unit.kind,
            "generation": unit.generation,
            "members": len(memberships.members(session, keys, unit)),
            "fingerprint": fingerprints.words(unit.public_key)
            if unit.public_key
            else None,
            "cases_to_reseal": unit_keys.pending(session, unit),
        }


def _recovery_rows(session: Session, keys: ServerKeys) -> Iterator[dict[str, Any]]:
    for kind, purpose in recovery_keys.PURPOSE.items():
        try:
            words = fingerprints.words(
                recovery_keys.key_for(session, keys, kind).public_key
            )
        except (recovery_keys.RecoveryMissing, NotAuthentic):
            words = None
        yield {"recovery": purpose, "opens": kind.value, "fingerprint": words}
