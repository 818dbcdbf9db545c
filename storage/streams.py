"""Sealed streams: bytes of any length, in chunks that cannot be swapped, cut off or added.

Chunks of 64 KiB are AES-256-GCM under a key that is used for one stream only. The nonce is
the chunk's number and a flag on the last one; the last chunk is padded to its full size,
so the exact size does not show. Nothing is ever whole in memory.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.sealing import Context, NotAuthentic

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
        self._buffer = bytearray()
        self._count = 0

    def write(self, data: bytes) -> None:
        """Seal some more bytes."""
        self._buffer += data
        while len(self._buffer) > _ROOM:
            self._chunk(bytes(self._buffer[:_ROOM]), last=False)
            del self._buffer[:_ROOM]

    def end(self) -> None:
        """Write the last chunk; the file stays open."""
        self._chunk(bytes(self._buffer), last=True)
        self._buffer.clear()

    def _chunk(self, plain: bytes, *, last: bool) -> None:
        framed = (_LENGTH.pack(len(plain)) + plain).ljust(CHUNK, b"\0")
        nonce = _nonce(self._count, last=last)
        self._file.write(self._box.encrypt(nonce, framed, self._bound))
        self._count += 1


def read(file: BinaryIO, key: bytes, context: Context | None = None) -> Iterator[bytes]:
    """Yield the plain bytes from here to the end of a file; NotAuthentic for any change."""
    box, count = AESGCM(key), 0
    bound = context.encode() if context else None
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
        yield framed[_LENGTH.size : _LENGTH.size + length]
        sealed, count = following, count + 1


def _nonce(count: int, *, last: bool) -> bytes:
    return struct.pack(">QHBB", count, 0, 0, int(last))
