"""How the sandbox answers: frames on a pipe, so that neither side holds a copy whole.

A frame is one letter (``COPY``, ``PREVIEW`` or ``FACTS``), its length in 4 bytes and so many
bytes. ``FACTS`` is JSON and the last one: without it the work was not finished.
"""

import struct
from collections.abc import Iterator
from typing import IO, BinaryIO, Final

COPY: Final = b"C"
PREVIEW: Final = b"P"
FACTS: Final = b"F"
MOST: Final = 256 * 1024
"""Bytes in one frame."""
_HEAD: Final = struct.Struct(">cI")


class Broken(Exception):
    """What came is no frame; whoever sent it died or is not ours."""


def write(out: BinaryIO, letter: bytes, data: bytes | memoryview) -> None:
    """Write bytes of any length."""
    rest = memoryview(data)
    while True:
        piece, rest = rest[:MOST], rest[MOST:]
        out.write(_HEAD.pack(letter, len(piece)))
        out.write(piece)
        if not rest:
            return


def read(source: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield frames until the facts came. Raises Broken."""
    while True:
        head = source.read(_HEAD.size)
        if len(head) != _HEAD.size:
            raise Broken
        letter, length = _HEAD.unpack(head)
        if letter not in {COPY, PREVIEW, FACTS} or length > MOST:
            raise Broken
        data = source.read(length)
        if len(data) != length:
            raise Broken
        yield letter, data
        if letter == FACTS:
            return
