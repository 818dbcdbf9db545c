"""Reading a backup back: record by record, every byte held against what was written."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from storage.backups import encoding
from storage.backups.records import (
    MAGIC,
    RECORD,
    START,
    VERSION,
    BackupDamaged,
    BackupKeyMissing,
    BackupTooNew,
    End,
    Head,
    Kind,
    NotABackup,
    WrongKey,
    place,
)
from storage.crypto import sealing, streams
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys

_MOST = 64 << 20
"""Bytes of the longest record: more is damage."""
_LEAST = 2


class Reader:
    """Reads a backup from an open file. Every method may raise ``BackupDamaged``."""

    def __init__(self, file: BinaryIO, keys: ServerKeys) -> None:
        """Open it. Raises NotABackup, BackupTooNew, BackupKeyMissing, WrongKey."""
        key, name = _key_of(file, keys)
        self.id = name.hex()
        self._pieces = streams.read(file, key, place(name, "content"))
        self._buffer = bytearray()
        kind, body = self.record()
        if kind is not Kind.HEAD:
            raise BackupDamaged
        self.head = _head(body)

    def record(self) -> tuple[Kind, bytes]:
        """Return the next record."""
        kind, size = RECORD.unpack(self._take(RECORD.size))
        if size > _MOST:
            raise BackupDamaged
        try:
            return Kind(kind), self._take(size)
        except ValueError:
            raise BackupDamaged from None

    def ended(self) -> None:
        """Raise BackupDamaged unless nothing comes any more."""
        if self._buffer or self._next() is not None:
            raise BackupDamaged

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            piece = self._next()
            if piece is None:
                raise BackupDamaged
            self._buffer += piece
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except NotAuthentic:
            raise BackupDamaged from None


class Sink:
    """What becomes of a backup's content as it is read; this one lets it pass by."""

    def table(self, name: str, columns: Sequence[str]) -> None:
        """Learn which table comes."""

    def rows(self, rows: list[tuple[Any, ...]]) -> None:
        """Take some of its rows."""

    def file(self, name: str, pieces: Iterable[bytes]) -> None:
        """Take a file; what is left of ``pieces`` is read and checked afterwards."""


@dataclass(slots=True)
class _File:
    """A file as it is read: its pieces, and whether its end fits them."""

    reader: Reader
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    done: bool = False

    def pieces(self) -> Iterator[bytes]:
        """Yield what is left of it; raises BackupDamaged when its end does not fit."""
        while not self.done:
            kind, body = self.reader.record()
            if kind is Kind.FILE_END:
                self.done = True
                told = {"sha256": self.digest.hexdigest(), "size": self.size}
                if _told(body) != told:
                    raise BackupDamaged
            elif kind is Kind.DATA:
                self.digest.update(body)
                self.size += len(body)
                yield body
            else:
                raise BackupDamaged


def unpack(reader: Reader, sink: Sink) -> End:
    """Read a backup to its end into ``sink``; returns what it said it holds.

    Raises BackupDamaged when anything is missing, too much, or not what its end says.
    """
    found, columns, name = End(), 0, ""
    while True:
        kind, body = reader.record()
        if kind is Kind.TABLE:
            name, names = _table(body)
            columns = len(names)
            found.tables[name] = 0
            sink.table(name, names)
        elif kind is Kind.ROWS and columns:
            rows = _rows(body, columns)
            found.tables[name] += len(rows)
            sink.rows(rows)
        elif kind is Kind.FILE:
            file = _File(reader)
            sink.file(_name(_told(body)), file.pieces())
            for _ in file.pieces():
                continue
            found.files += 1
            found.bytes += file.size
        elif kind is Kind.END:
            reader.ended()
            end = _end(body)
            if (end.tables, end.files, end.bytes) != (
                found.tables,
                found.files,
                found.bytes,
            ):
                raise BackupDamaged
            return end
        else:
            raise BackupDamaged


def _key_of(file: BinaryIO, keys: ServerKeys) -> tuple[bytes, bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise NotABackup
    start = file.read(START.size)
    if len(start) < START.size:
        raise BackupDamaged
    version, name, size = START.unpack(start)
    if version > VERSION:
        raise BackupTooNew
    if not version:
        raise BackupDamaged
    locked = file.read(size)
    if len(locked) != size or size < _LEAST:
        raise BackupDamaged
    if locked[1] not in keys.ring:
        raise BackupKeyMissing(
            f"the server key has no line {locked[1]}, which this backup was locked with; "
            "put that line back from your copy"
        )
    try:
        return keys.unlock(Purpose.BACKUP, locked, place(name, "key")), name
    except NotAuthentic:
        raise WrongKey from None


def _rows(body: bytes, columns: int) -> list[tuple[Any, ...]]:
    try:
        return encoding.unpacked(body, columns)
    except ValueError:
        raise BackupDamaged from None


def _head(body: bytes) -> Head:
    told = _told(body)
    with _as_written():
        head = Head(**{**told, "keys": tuple(map(int, told["keys"]))})
        if head.moment.tzinfo is not None:
            return head
    raise BackupDamaged


def _table(body: bytes) -> tuple[str, list[str]]:
    told = _told(body)
    with _as_written():
        names = list(map(str, told["columns"]))
    return _name(told), names


def _end(body: bytes) -> End:
    told = _told(body)
    with _as_written():
        return End(**told)


def _name(told: Mapping[str, Any]) -> str:
    name = told.get("name")
    if not isinstance(name, str):
        raise BackupDamaged
    return name


@contextmanager
def _as_written() -> Iterator[None]:
    try:
        with sealing.as_written():
            yield
    except NotAuthentic:
        raise BackupDamaged from None


def _told(body: bytes) -> dict[str, Any]:
    try:
        return sealing.told(body)
    except NotAuthentic:
        raise BackupDamaged from None
