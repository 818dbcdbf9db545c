"""Values of rows as bytes, the same for every database: a mark, a length, the value."""

import struct
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from types import NoneType
from typing import Any, NamedTuple

from storage.backups.records import BackupDamaged

_VALUE = struct.Struct(">cI")


class _Type(NamedTuple):
    mark: bytes
    write: Callable[[Any], bytes]
    read: Callable[[bytes], object]


def _utc(value: datetime) -> bytes:
    """Return a moment as text; one without a zone is UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().encode()


def _moment(text: str) -> datetime:
    """Return a moment as ``_utc`` wrote it; ValueError for one without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


_TYPES: dict[type, _Type] = {
    NoneType: _Type(b"n", lambda _: b"", lambda _: None),
    bool: _Type(b"b", lambda value: b"%d" % value, lambda body: body == b"1"),
    int: _Type(b"i", lambda value: b"%d" % value, int),
    str: _Type(
        b"s",
        lambda value: value.encode("utf-8", "surrogatepass"),
        lambda body: body.decode("utf-8", "surrogatepass"),
    ),
    bytes: _Type(b"x", bytes, bytes),
    datetime: _Type(b"t", _utc, lambda body: _moment(body.decode())),
    date: _Type(
        b"d",
        lambda value: value.isoformat().encode(),
        lambda body: date.fromisoformat(body.decode()),
    ),
}
_READ = {one.mark: one.read for one in _TYPES.values()}


def packed(row: Iterable[object]) -> bytes:
    """Return the values of a row as bytes. Raises TypeError for a type without a mark."""
    found = bytearray()
    for value in row:
        if type(value) not in _TYPES:
            raise TypeError(type(value).__name__)
        known = _TYPES[type(value)]
        body = known.write(value)
        found += _VALUE.pack(known.mark, len(body)) + body
    return bytes(found)


def unpacked(body: bytes, columns: int) -> list[tuple[Any, ...]]:
    """Return the rows that were packed, each of so many columns. Raises BackupDamaged."""
    values: list[object] = []
    at = 0
    try:
        while at < len(body):
            mark, size = _VALUE.unpack_from(body, at)
            at += _VALUE.size + size
            if at > len(body):
                raise BackupDamaged
            values.append(_READ[mark](body[at - size : at]))
        return list(zip(*[iter(values)] * columns, strict=True))
    except (KeyError, OverflowError, ValueError, struct.error):
        raise BackupDamaged from None
