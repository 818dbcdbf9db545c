"""A backup read back: record by record, every byte held against what was written."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from storage.backups import encoding, records
from storage.backups.records import (
    MAGIC,
    RECORD,
    START,
    VERSION,
    BackupDamaged,
    BackupKeyMissing,
    BackupTooNew,
    End,
    FileEnd,
    FileHead,
    Head,
    Kind,
    NotABackup,
    TableHead,
    WrongKey,
    place,
)
from storage.crypto import streams
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys

_MOST = 64 << 20
"""Bytes of the longest record: more is damage."""
_LEAST = 2
"""Bytes of the shortest locked key: the second one names the server key's line."""


class Reader:
    """Reads a backup from an open file. Every method may raise ``BackupDamaged``."""

    def __init__(self, file: BinaryIO, keys: ServerKeys) -> None:
        """Open it. Raises what ``Unusable`` is the base of."""
        key, name = _key_of(file, keys)
        self.id = name.hex()
        self._pieces = streams.read(file, key, place(name, "content"))
        self._buffer = bytearray()
        kind, body = self.record()
        if kind is not Kind.HEAD:
            raise BackupDamaged
        self.head = records.told(Head, body)

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


def unpack(reader: Reader, sink: Sink) -> End:
    """Read a backup to its end into ``sink``; returns what it said it holds.

    Raises BackupDamaged when anything is missing, too much, or not what its end says.
    """
    found, table = End(), TableHead("", [])
    while True:
        kind, body = reader.record()
        if kind is Kind.TABLE:
            table = records.told(TableHead, body)
            found.tables[table.name] = 0
            sink.table(table.name, table.columns)
        elif kind is Kind.ROWS and table.columns:
            rows = encoding.unpacked(body, len(table.columns))
            found.tables[table.name] += len(rows)
            sink.rows(rows)
        elif kind is Kind.FILE:
            pieces = _pieces(reader, found)
            sink.file(records.told(FileHead, body).name, pieces)
            for _ in pieces:
                continue
        elif kind is Kind.END:
            reader.ended()
            end = records.told(End, body)
            if (found.tables, found.files, found.bytes) != (
                end.tables, end.files, end.bytes,
            ):  # fmt: skip
                raise BackupDamaged
            return end
        else:
            raise BackupDamaged


def _pieces(reader: Reader, found: End) -> Iterator[bytes]:
    """Yield a file's pieces and count it; raises BackupDamaged when its end does not fit."""
    digest, size = hashlib.sha256(), 0
    kind, body = reader.record()
    while kind is Kind.DATA:
        digest.update(body)
        size += len(body)
        yield body
        kind, body = reader.record()
    if kind is not Kind.FILE_END:
        raise BackupDamaged
    if records.told(FileEnd, body) != FileEnd(digest.hexdigest(), size):
        raise BackupDamaged
    found.files += 1
    found.bytes += size


def _key_of(file: BinaryIO, keys: ServerKeys) -> tuple[bytes, bytes]:
    """Return the key of the stream that follows, and the backup's id."""
    if file.read(len(MAGIC)) != MAGIC:
        raise NotABackup
    start = file.read(START.size)
    if len(start) < START.size:
        raise BackupDamaged
    version, name, size = START.unpack(start)
    if version > VERSION:
        raise BackupTooNew
    locked = file.read(size)
    if not version or len(locked) != size or size < _LEAST:
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
