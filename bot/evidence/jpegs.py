"""A JPEG or JPEG 2000 without its remarks, its pixels as they were."""

import struct
from typing import Final

_SCAN: Final = 0xDA
_FILL: Final = 0xFF
_TOLD: Final = range(0xE0, 0xF0)
_ADOBE: Final = 0xEE
"""It says how colours are meant, and nothing else; without it they would be wrong."""
_REMARK: Final = 0xFE
_BOX_HEAD: Final = 8
_BOXES: Final = frozenset({b"xml ", b"uuid", b"uinf", b"jp2i"})


def bare(data: bytes) -> bytes:
    """Drop every application segment and comment before the scan. Raises ValueError."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    kept, at = [data[:2]], 2
    while True:
        if data[at : at + 1] != b"\xff" or at + 4 > len(data):
            raise ValueError("no segment")
        marker = data[at + 1]
        if marker == _FILL:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        told = marker in _TOLD or marker == _REMARK
        if not told or marker == _ADOBE:
            kept.append(data[at:end])
        at = end
        if marker == _SCAN:
            last = data.rfind(b"\xff\xd9")
            kept.append(data[at : last + 2 if last >= at else len(data)])
            return b"".join(kept)


def bare_jp2(data: bytes) -> bytes:
    """Drop boxes of words from a JPEG 2000; a bare code stream stays as it is."""
    if data[4:8] != b"jP  ":
        return data
    kept, at = [], 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        size = len(data) - at if length == 0 else length
        if length == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size < _BOX_HEAD:
            raise ValueError("no box")
        if data[at + 4 : at + 8] not in _BOXES:
            kept.append(data[at : at + size])
        at += size
    return b"".join(kept)
