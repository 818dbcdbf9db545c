"""The files of a case: seen by an officer over HTTP, opened with the keys of both rooms."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import blobs, files, sealed_files
from storage.models import File
from storage.units import units
from storage.words import FileState
from tests.journeys.telling import Receipt
from tests.journeys.test_reveal import Desks
from tests.support import founded as house
from tests.support.browsers import Browser
from tests.support.phones import Phone
from tests.support.running import Running
from tests.support.unsealing import secret_for, unit_secret

PREVIEW = re.compile(r'<img[^>]* src="/console(/cases/[^"]+)/preview"')
SOUND = re.compile(r'<audio[^>]* src="/console(/cases/[^"]+)"')


@asynccontextmanager
async def officer(town: Running) -> AsyncIterator[Browser]:
    """Sit down at the console as the unit's supervisor."""
    desks = Desks(town)
    try:
        yield await desks.sits(town.house.supervisor)
    finally:
        for client in desks.clients:
            await client.aclose()


async def adds(phone: Phone, paper: Receipt, add: str, ready: str) -> None:
    """Open a report again, to add files to it."""
    await phone.say(f"{add} {paper}")
    await phone.hears(ready)


def folder(town: Running) -> Path:
    """Return where the files lie."""
    return Path(town.app.settings.files.path)


def lying(place: Path) -> list[str]:
    """Return what lies there by the ends of its names, in order."""
    return sorted(path.suffix for path in place.glob("*/*"))


def on_disk(town: Running) -> bytes:
    """Return everything that lies in the file store."""
    found = folder(town).rglob("*")
    return b"".join(path.read_bytes() for path in found if path.is_file())


def states(town: Running) -> list[FileState]:
    """Return how far the files of the only case have come."""
    with town.app.database.reading() as session:
        rows = files.of_report(session, town.keys, town.only_case().report)
    return [FileState(row.state) for row in rows]


def sent(town: Running) -> list[bytes]:
    """Open the originals of the only case, as two people do."""
    with town.app.database.reading() as session:
        rows = files.of_report(session, town.keys, town.only_case().report)
    founded = town.house
    return [
        opened(town.app.database, town.keys, founded, folder(town), row) for row in rows
    ]


def opened(
    database: Database, keys: ServerKeys, founded: house.House, place: Path, row: File
) -> bytes:
    """Open an original with the case's key around the vault's."""
    guard = founded.custodian
    with database.reading() as session:
        unit = units.verified(session, keys, founded.unit.id)
        outer = secret_for(session, keys, row.report, unit, founded.unit_secret)
        vault = units.vault(session, keys)
        inner = unit_secret(session, keys, vault, guard.officer, guard.secret)
    key = files.open_original(row, inner, files.open_original(row, outer))
    return b"".join(sealed_files.chunks(blobs.place(place, row.id, "original"), key))
