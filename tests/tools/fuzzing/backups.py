"""Targets in a backup file: as it lies on a disk, and what stands inside its stream."""

import io
from collections.abc import Iterable
from typing import Any

from typing_extensions import override

from storage.backups.reading import Reader, Sink, unpack
from storage.backups.records import (
    MAGIC,
    START,
    VERSION,
    Unusable,
    place,
)
from storage.crypto import streams
from storage.crypto.server_key import Purpose
from tests.tools.fuzzing.formats import RING
from tests.tools.fuzzing.target import Target

NAME = bytes(range(16))
STREAM = bytes(range(32))
LOCKED = RING.lock(Purpose.BACKUP, STREAM, place(NAME, "key"))


class Counting(Sink):
    """Takes everything and keeps nothing."""

    @override
    def rows(self, rows: list[tuple[Any, ...]]) -> None:
        for row in rows:
            tuple(row)

    @override
    def file(self, name: str, pieces: Iterable[bytes]) -> None:
        assert isinstance(name, str)
        for _ in pieces:
            continue


def whole(raw: bytes) -> None:
    """Read a file as it lies on a disk."""
    reader = Reader(io.BytesIO(raw), RING)
    end = unpack(reader, Counting())
    assert end.files >= 0
    assert reader.head.made.year


def sealed(content: bytes) -> io.BytesIO:
    """Return a file whose stream holds these bytes: ours, and yet not as we write it."""
    out = io.BytesIO()
    out.write(MAGIC + START.pack(VERSION, NAME, len(LOCKED)) + LOCKED)
    writer = streams.StreamWriter(out, STREAM, place(NAME, "content"))
    writer.write(content)
    writer.end()
    return io.BytesIO(out.getvalue())


def records(raw: bytes) -> None:
    """Read what stands inside a stream: of another version, or badly written."""
    whole(sealed(raw).getvalue())


TARGETS = (
    Target("backup.file", whole, (Unusable,)),
    Target("backup.records", records, (Unusable,)),
)
