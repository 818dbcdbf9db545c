"""What a thief does with stolen bytes: dump, search in every form, try every key."""

import base64
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import text
from sqlmodel import SQLModel

from storage.crypto.sealing import NotAuthentic, open_seal
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.database import Database
from storage.words import Channel

Rows = dict[str, list[dict[str, Any]]]
SLICE = 16
_PRINTABLE = frozenset(string.printable.encode())
_HEAD = b"\x01\x01"
_OURS = """SELECT CAST(pg_relation_filenode(oid) AS text) FROM pg_class
 WHERE pg_relation_filenode(oid) IS NOT NULL
 AND (oid >= 16384 OR relname = 'pg_statistic')"""
"""Tables, their long values, their indexes, and samples of them; no catalogue."""
_FIRST_COUNTER = bytes(12) + (2).to_bytes(4, "big")


@dataclass
class Loot:
    """Everything that was carried away: rows as they read, and bytes as they lie."""

    rows: Rows
    files: dict[str, bytes]
    names: list[str] = field(default_factory=list)

    def blobs(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield every stored byte string as (table, column, value)."""
        for table, rows in self.rows.items():
            for row in rows:
                for column, value in row.items():
                    if isinstance(value, bytes) and value:
                        yield table, column, value

    def finds(self, marks: Mapping[str, str | int | bytes]) -> list[str]:
        """Return which marks show anywhere, in any form."""
        found = []
        for what, mark in marks.items():
            for form, needle in forms(mark):
                found += [
                    f"{what} as {form} in {place}"
                    for place, content in self.files.items()
                    if needle in content
                ]
                found += [
                    f"{what} as {form} in a name"
                    for n in self.names
                    if needle.decode("latin-1") in n
                ]
        return found


def rows_of(database: Database, *tables: str) -> Rows:
    """Read every row of some tables, or of all."""
    known = SQLModel.metadata.tables
    with database.read_engine.connect() as connection:
        return {
            name: [
                dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
                for row in connection.execute(known[name].select())
            ]
            for name in tables or known
        }


def steal(database: Database, folder: Path | None = None) -> Loot:
    """Copy the store as it lies on disk, with the files beside it."""
    with database.reading() as session:
        # While somebody reads, SQLite moves nothing from one of its files to the other.
        session.connection().execute(text("SELECT count(*) FROM settings"))
        loot = Loot(rows_of(database), dict(_store(database)))
    for path in sorted((folder or Path("/nonexistent")).rglob("*")):
        loot.names.append(path.name)
        if path.is_file():
            loot.files[f"file {path.name}"] = path.read_bytes()
    return loot


def _store(database: Database) -> Iterator[tuple[str, bytes]]:
    if database.is_sqlite:
        path = Path(database.url.database or "")
        for end in ("", "-wal", "-shm"):
            beside = path.with_name(path.name + end)
            if beside.exists():
                yield f"sqlite{end}", beside.read_bytes()
        return
    with database.write_engine.connect().execution_options(
        isolation_level="AUTOCOMMIT"
    ) as connection:
        connection.execute(text("CHECKPOINT"))
        home = Path(connection.scalar(text("SHOW data_directory")) or "")
        oid = connection.scalar(
            text("SELECT oid FROM pg_database WHERE datname = current_database()")
        )
        raw = connection.connection.cursor()
        for table in SQLModel.metadata.tables:
            with raw.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                yield f"copy of {table}", b"".join(bytes(part) for part in copy)
            with raw.copy(f"COPY {table} TO STDOUT") as copy:
                yield f"text of {table}", b"".join(bytes(part) for part in copy)
        ours = set(connection.scalars(text(_OURS)))
    for path in (home / "base" / str(oid)).iterdir():
        node = path.name.partition("_")[0].partition(".")[0]
        if path.is_file() and path.stat().st_size and node in ours:
            yield f"heap {path.name}", path.read_bytes()


def forms(mark: str | int | bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the shapes in which a secret may hide."""
    if isinstance(mark, int):
        yield "eight bytes", mark.to_bytes(8, "big")
        yield "eight bytes, turned", mark.to_bytes(8, "little")
        mark = str(mark)
    plain = mark.encode() if isinstance(mark, str) else mark
    yield "itself", plain
    yield "hex", plain.hex().encode()
    yield "HEX", plain.hex().upper().encode()
    if isinstance(mark, str):
        yield "UTF-16", mark.encode("utf-16-le")
        yield "UTF-16 turned", mark.encode("utf-16-be")
        yield "backwards", plain[::-1]
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + plain)
        core = whole[(0, 2, 3)[shift] : len(whole) // 4 * 4 - 4]
        if len(core) >= 8:
            yield f"base64+{shift}", core
            yield f"base64url+{shift}", core.translate(bytes.maketrans(b"+/", b"-_"))


def fragments(value: bytes) -> Iterator[bytes]:
    """Yield pieces of a blob: whoever leaves 31 bytes of it leaves one of them."""
    for at in range(0, max(1, len(value) - SLICE + 1), SLICE):
        yield value[at : at + SLICE]


def left_of(old: Iterable[bytes], loot: Loot) -> int:
    """Count pieces of old blobs that still lie somewhere."""
    whole = b"\0".join(loot.files.values())
    return sum(piece in whole for value in old for piece in fragments(value))


def names_of(keys: ServerKeys, channel: Channel, handle: str) -> dict[str, bytes]:
    """Return every keyed name that the server key can give to a handle."""
    bare = handle.removeprefix("whatsapp:")
    shapes: dict[str, tuple[str, ...]] = {
        "channel, handle": (channel, handle),
        "handle": (handle,),
        "channel, bare": (channel, bare),
        "joined": (f"{channel} {handle}",),
        "colon": (f"{channel}:{handle}",),
    }
    return {
        f"{purpose} of {shape}": keys.look_up(purpose, *parts)
        for purpose in Purpose
        for shape, parts in shapes.items()
    }


def opened_by_server_key(keys: ServerKeys, content: bytes) -> list[tuple[str, int]]:
    """Try every place that looks like a blob of ours with every purpose of the server key.

    AES-GCM is counter mode: a thief reads the first block without tag, length or context.
    Returns (purpose, offset) of whatever turns into text, or into a seal inside a wrap.
    """
    found = []
    for match in re.finditer(b"(?=\x01\x01)", content):
        at = match.start()
        salt, body = content[at + 2 : at + 18], content[at + 18 : at + 34]
        if len(body) < SLICE:
            continue
        for purpose in Purpose:
            plain = _first_block(keys.sub_key(purpose), salt, body)
            wraps = purpose is Purpose.DRAFT_GRANT and plain.startswith(_HEAD)
            if wraps or _PRINTABLE.issuperset(plain):
                found.append((purpose.value, at))
    return found


def _first_block(key: bytes, salt: bytes, body: bytes) -> bytes:
    own = HKDF(hashes.SHA256(), 32, salt, b"blob").derive(key)
    counter = Cipher(algorithms.AES(own), modes.CTR(_FIRST_COUNTER)).decryptor()
    return counter.update(body)


def opened_by_secret(secret: bytes, loot: Loot) -> list[tuple[str, str]]:
    """Try a secret key on every blob, in every context that a row can form.

    A stolen secret may be wrapped in nothing, or lie behind another opened seal.
    """
    from storage.crypto.sealing import Context  # noqa: PLC0415 - beside its only use

    found = []
    for table, rows in loot.rows.items():
        for row in rows:
            ids = [v for v in row.values() if isinstance(v, bytes) and len(v) == SLICE]
            numbers = {0, *(v for v in row.values() if type(v) is int)}
            for column, blob in row.items():
                if not isinstance(blob, bytes) or not blob.startswith(_HEAD):
                    continue
                contexts = (
                    Context(table, one, column, report, seq, generation)
                    for one in ids
                    for report in (b"", *ids)
                    for seq in numbers
                    for generation in numbers
                )
                if any(_opens(blob, secret, context) for context in contexts):
                    found.append((table, column))
    return found


def _opens(blob: bytes, secret: bytes, context) -> bool:
    try:
        open_seal(blob, secret, context)
    except NotAuthentic:
        return False
    return True


def moments(rows: Rows) -> list[str]:
    """Return every place with a time that is finer than a day."""
    return sorted(
        {
            f"{table}.{column}"
            for table, found in rows.items()
            for row in found
            for column, value in row.items()
            if isinstance(value, datetime)
        }
    )


def days(rows: Rows) -> set[date]:
    """Return the days that show in the tables."""
    return {
        value
        for found in rows.values()
        for row in found
        for value in row.values()
        if isinstance(value, date) and not isinstance(value, datetime)
    }
