"""The file of a backup: a head, then one sealed stream of records.

In clear stand a name, a version, a random id, and the stream's own key, locked under the
server key. Inside: what the backup is, the rows of every table, every evidence file as it
was sealed, each with its SHA-256, and at the end the counts. A file without its end is no
backup. Rows are told by value, not by database: what was SQLite may become PostgreSQL.
"""

import hashlib
import json
import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.backups import encoding
from storage.crypto import streams
from storage.crypto.sealing import Context
from storage.crypto.server_key import Purpose, ServerKeys

MAGIC = b"kentongan backup\n"
VERSION = 1
_ID = 16
START = struct.Struct(">B16sH")
RECORD = struct.Struct(">BI")
PIECE = 1 << 20
"""Bytes of a file that are held in memory at once."""


class NotABackup(Exception):
    """The file is no backup of Kentongan; name another one."""


class BackupTooNew(Exception):
    """The backup was made by a newer version; install that version, then run this again."""


class BackupDamaged(Exception):
    """The backup is damaged or cut off: take another one, and do not trust this medium."""


class BackupKeyMissing(Exception):
    """The server key lacks the line that a backup was locked with."""


class WrongKey(Exception):
    """The server key does not open this backup: it is another agency's, or damaged at its head."""


class Kind(IntEnum):
    """What a record is."""

    HEAD = 1
    TABLE = 2
    ROWS = 3
    FILE = 4
    DATA = 5
    FILE_END = 6
    END = 7


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup is: of which schema, by which version, when (UTC), under which key ids."""

    schema: str
    program: str
    made: str
    keys: tuple[int, ...]

    @property
    def moment(self) -> datetime:
        """Return when it was made."""
        return datetime.fromisoformat(self.made)


@dataclass(slots=True)
class End:
    """What a backup holds: rows by table, files and their bytes, and which were not there.

    ``erased`` files went while the backup ran, ``lost`` ones should have been on disk.
    ``left_out`` are tables that end with the machine.
    """

    tables: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    erased: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Writer:
    """Writes a backup into an open file; ``end`` it, or it is none."""

    def __init__(self, file: BinaryIO, keys: ServerKeys) -> None:
        name, key = secrets.token_bytes(_ID), AESGCM.generate_key(256)
        locked = keys.lock(Purpose.BACKUP, key, place(name, "key"))
        file.write(MAGIC + START.pack(VERSION, name, len(locked)) + locked)
        self._stream = streams.StreamWriter(file, key, place(name, "content"))

    def head(self, head: Head) -> None:
        """Say what this backup is: the first record."""
        self._put(Kind.HEAD, _json(asdict(head)))

    def table(self, name: str, columns: Sequence[str]) -> None:
        """Begin a table."""
        self._put(Kind.TABLE, _json({"name": name, "columns": list(columns)}))

    def rows(self, rows: Iterable[Sequence[Any]]) -> int:
        """Write rows of the table that was begun; returns how many."""
        batch, count = bytearray(), 0
        for row in rows:
            count += 1
            batch += encoding.packed(row)
            if len(batch) >= PIECE:
                self._put(Kind.ROWS, bytes(batch))
                batch.clear()
        if batch:
            self._put(Kind.ROWS, bytes(batch))
        return count

    def file(self, name: str, file: BinaryIO) -> int:
        """Write an evidence file as it lies there; returns its size in bytes."""
        self._put(Kind.FILE, _json({"name": name}))
        digest, size = hashlib.sha256(), 0
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            self._put(Kind.DATA, piece)
        told = {"sha256": digest.hexdigest(), "size": size}
        self._put(Kind.FILE_END, _json(told))
        return size

    def end(self, end: End) -> None:
        """Write the counts, and the end."""
        self._put(Kind.END, _json(asdict(end)))
        self._stream.end()

    def _put(self, kind: Kind, body: bytes) -> None:
        self._stream.write(RECORD.pack(kind, len(body)) + body)


def place(name: bytes, column: str) -> Context:
    """Bind what is sealed to this backup and this version of the file."""
    return Context("backup", name, column, seq=VERSION)


def _json(value: object) -> bytes:
    return json.dumps(value).encode("ascii")
