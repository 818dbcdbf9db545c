"""The file of a backup: a head, then one sealed stream of records.

In clear stand a name, a version, a random id, and the stream's own key, locked under the
server key. Inside: what the backup is, the rows of every table, every evidence file as it
was sealed, each with its SHA-256, and at the end the counts. A file without its end is no
backup. Rows are told by value, not by database: what was SQLite may become PostgreSQL.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from pydantic import AwareDatetime, TypeAdapter

from storage.crypto.sealing import Context

MAGIC = b"kentongan backup\n"
VERSION = 1
ID_BYTES = 16
START = struct.Struct(f">B{ID_BYTES}sH")
"""After the magic: version, id, length of the locked key that follows."""
RECORD = struct.Struct(">BI")
"""Before each record: its kind, its length."""

_T = TypeVar("_T")


class Unusable(Exception):
    """The file cannot be used as a backup by this program with this server key."""


class NotABackup(Unusable):
    """The file is no backup of Kentongan; name another one."""


class BackupTooNew(Unusable):
    """The backup was made by a newer version; install that version, then run this again."""


class BackupDamaged(Unusable):
    """The backup is damaged or cut off: take another one, and do not trust this medium."""


class BackupKeyMissing(Unusable):
    """The server key lacks the line that a backup was locked with."""


class WrongKey(Unusable):
    """The server key does not open this backup: it is another agency's, or damaged at its head."""


class Kind(IntEnum):
    """What a record is, and what its body holds."""

    HEAD = 1
    """``Head``: the first record."""
    TABLE = 2
    """``TableHead``."""
    ROWS = 3
    """Some rows of the table before them, as ``encoding`` packs them."""
    FILE = 4
    """``FileHead``."""
    DATA = 5
    """Some bytes of the file before them."""
    FILE_END = 6
    """``FileEnd``."""
    END = 7
    """``End``: the last record."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup is: of which schema, by which version, when (UTC), under which key ids."""

    schema: str
    program: str
    made: AwareDatetime
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TableHead:
    """Which table comes, and in which order its columns."""

    name: str
    columns: list[str]


@dataclass(frozen=True, slots=True)
class FileHead:
    """Under which name an evidence file lay."""

    name: str


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What a file must have been."""

    sha256: str
    size: int


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


_JSON: Mapping[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Head, TableHead, FileHead, FileEnd, End)
}


def body_of(told: object) -> bytes:
    """Return one of the dataclasses above as the body of a record."""
    return _JSON[type(told)].dump_json(told)


def told(kind: type[_T], body: bytes) -> _T:
    """Return what the body of a record says. Raises BackupDamaged for another shape."""
    try:
        found: _T = _JSON[kind].validate_json(body)
    except ValueError:
        raise BackupDamaged from None
    return found


def place(name: bytes, column: str) -> Context:
    """Bind what is sealed to this backup and this version of the file."""
    return Context("backup", name, column, seq=VERSION)
