"""Sealed streams: bytes of any length, in chunks that cannot be swapped, cut off or added.

Chunks of 64 KiB are AES-256-GCM under a key that is used for one stream only. The nonce is
the chunk's number and a flag on the last one; the last chunk is padded to its full size,
so the exact size does not show. Nothing is ever whole in memory.
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.crypto.sealing import Context, NotAuthentic

CHUNK = 64 * 1024
_LENGTH = struct.Struct(">I")
_ROOM = CHUNK - _LENGTH.size
_SEALED = CHUNK + 16


class StreamWriter:
    """Seals what is written into a file under a fresh 32-byte key; ``end`` it, or it is void.

    ``context`` binds the chunks to a place.
    """

    def __init__(
        self, file: BinaryIO, key: bytes, context: Context | None = None
    ) -> None:
        self._file = file
        self._box = AESGCM(key)
        self._bound = context.encode() if context else None
        self._frame = bytearray(CHUNK)
        self._used = self._count = 0

    def write(self, data: bytes) -> None:
        """Seal some more bytes."""
        rest = memoryview(data)
        while rest:
            if self._used == _ROOM:
                self._chunk(last=False)
            room = _ROOM - self._used
            piece, rest = rest[:room], rest[room:]
            start = _LENGTH.size + self._used
            self._frame[start : start + len(piece)] = piece
            self._used += len(piece)

    def end(self) -> None:
        """Write the last chunk; the file stays open."""
        start = _LENGTH.size + self._used
        self._frame[start:] = bytes(CHUNK - start)
        self._chunk(last=True)

    def _chunk(self, *, last: bool) -> None:
        """Seal what lies in the frame: only the last one is not full."""
        _LENGTH.pack_into(self._frame, 0, self._used)
        nonce = _nonce(self._count, last=last)
        self._file.write(self._box.encrypt(nonce, self._frame, self._bound))
        self._count, self._used = self._count + 1, 0


def read(
    file: BinaryIO, key: bytes, context: Context | None = None, *, start: int = 0
) -> Iterator[bytes]:
    """Yield the plain bytes from here to the end of a file; NotAuthentic for any change.

    ``start``: so many plain bytes are left out, without being opened.
    """
    count, skip = divmod(start, _ROOM)
    box = AESGCM(key)
    bound = context.encode() if context else None
    file.seek(count * _SEALED, os.SEEK_CUR)
    sealed = file.read(_SEALED)
    if not sealed:  # even an empty stream has its last chunk
        raise NotAuthentic
    while sealed:
        following = file.read(_SEALED)
        try:
            framed = box.decrypt(_nonce(count, last=not following), sealed, bound)
        except InvalidTag as error:
            raise NotAuthentic from error
        (length,) = _LENGTH.unpack_from(framed)
        yield framed[_LENGTH.size + skip : _LENGTH.size + length]
        sealed, count, skip = following, count + 1, 0


def _nonce(count: int, *, last: bool) -> bytes:
    return struct.pack(">QHBB", count, 0, 0, int(last))
