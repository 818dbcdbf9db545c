"""A JPEG without its remarks, its pixels as they were."""

import re
import struct
from typing import Final

_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_SCAN: Final = 0xDA
_OF_PIXELS: Final = frozenset({*range(0xC0, 0xD0), _SCAN, 0xDB, 0xDC, 0xDD})
"""Frames, tables, scans, rows and restarts: without them there is no picture."""
_ADOBE: Final = 0xEE
"""It says how colours are meant, and nothing else; without it they would be wrong."""
_ADOBE_SAYS: Final = 12
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends a scan: any marker but a stuffed zero, a restart or a fill."""
_SEGMENT: Final = 4


def bare(data: bytes) -> bytes:
    """Drop every segment that tells, and all behind the picture's end.

    There telephones put a second picture or a film with a place of its own.
    Raises ValueError.
    """
    if data[:2] != _START:
        raise ValueError("no JPEG")
    kept, at, has_scan = [_START], 2, False
    while not (has_scan and _is_over(data, at)):
        marker, segment, at = _segment(data, at)
        if marker in _OF_PIXELS:
            kept.append(segment)
        elif marker == _ADOBE:
            kept.append(_adobe(segment))
        if marker == _SCAN:
            has_scan = True
            found = _MARKER.search(data, at)
            end = found.start() if found else len(data)
            kept.append(data[at:end])
            at = end
    return b"".join([*kept, _END])


def _is_over(data: bytes, at: int) -> bool:
    """Whether the picture ends there, or was cut off, or another begins."""
    return data[at : at + 2] in {_START, _END} or at + _SEGMENT > len(data)


def _segment(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return the marker there, its segment and where the next one begins."""
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    if data[at : at + 1] != b"\xff" or at + _SEGMENT > len(data):
        raise ValueError("no segment")
    (length,) = struct.unpack_from(">H", data, at + 2)
    end = at + 2 + length
    return data[at + 1], data[at:end], end


def _adobe(segment: bytes) -> bytes:
    """Keep the few bytes that are for colours, and none behind them."""
    said = segment[_SEGMENT : _SEGMENT + _ADOBE_SAYS]
    if len(said) < _ADOBE_SAYS or not said.startswith(b"Adobe"):
        return b""
    return segment[:2] + struct.pack(">H", 2 + len(said)) + said
