"""Values of rows as bytes, the same for every database: a mark, a length, the value."""

import struct
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

_VALUE = struct.Struct(">cI")


class UnknownValue(ValueError):
    """These bytes are no values of ours."""


def packed(row: Iterable[object]) -> bytes:
    """Return the values of a row as bytes; a time without a zone is UTC."""
    return b"".join(map(_packed, row))


def unpacked(body: bytes, columns: int) -> list[tuple[Any, ...]]:
    """Return the rows that were packed, each of so many columns. Raises UnknownValue."""
    values: list[Any] = []
    at = 0
    while at < len(body):
        begin = at + _VALUE.size
        if begin > len(body):
            raise UnknownValue
        mark, size = _VALUE.unpack_from(body, at)
        at = begin + size
        if at > len(body):
            raise UnknownValue
        values.append(_value(mark, body[begin:at]))
    if len(values) % columns:
        raise UnknownValue
    return [
        tuple(values[start : start + columns])
        for start in range(0, len(values), columns)
    ]


def _packed(value: object) -> bytes:
    match value:
        case None:
            mark, body = b"n", b""
        case bool():
            mark, body = b"b", b"1" if value else b"0"
        case int():
            mark, body = b"i", str(value).encode()
        case str():
            mark, body = b"s", value.encode("utf-8", "surrogatepass")
        case bytes():
            mark, body = b"x", value
        case datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            mark, body = b"t", aware.astimezone(UTC).isoformat().encode()
        case date():
            mark, body = b"d", value.isoformat().encode()
        case _:
            raise TypeError(type(value).__name__)
    return _VALUE.pack(mark, len(body)) + body


def _value(mark: bytes, body: bytes) -> object:
    if mark not in _READ:
        raise UnknownValue
    try:
        return _READ[mark](body)
    except (ValueError, OverflowError):
        raise UnknownValue from None


_READ: dict[bytes, Callable[[bytes], object]] = {
    b"n": lambda _: None,
    b"b": lambda body: body == b"1",
    b"i": int,
    b"s": lambda body: body.decode("utf-8", "surrogatepass"),
    b"x": bytes,
    b"t": lambda body: datetime.fromisoformat(body.decode()),
    b"d": lambda body: date.fromisoformat(body.decode()),
}
