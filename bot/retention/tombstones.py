"""The file of tombstones: what was erased, kept apart from the backups, one line each.

What the store has and the file has not is appended, to disk before the store says so.
What the file tells of and a restored store does not know is erased again.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import Tombstone
from storage.retention import tombstones

AT_ONCE = 500
"""Lines of one append."""
_MOST_LINE = 400


@dataclass(slots=True)
class Told:
    """What a file told: what to erase again, and the numbers of lines that are not ours."""

    stones: list[Tombstone] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def append(path: Path, lines: Iterable[str], *, day: date) -> None:
    """Write lines to the end of the file, to disk; made private when it is new.

    A line that was cut off by a crash is ended first. The file is dated by the day: a copy
    of the disk must not tell the minute in which a reporter was forgotten. Raises OSError.
    """
    new = not path.exists()
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(number, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(number, 1, size - 1) != b"\n"
        text = "".join(f"{line}\n" for line in lines)
        file.write(b"\n" * torn + text.encode("ascii"))
        file.flush()
        moment = datetime.combine(day, time(), UTC).timestamp()
        os.utime(number, (moment, moment))
        os.fsync(number)
    if new:
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def read(path: Path, keys: ServerKeys, *, since: date, known: set[bytes]) -> Told:
    """Read the file: tombstones from ``since`` on that are not ``known``, once each.

    A line that we did not write, or that was damaged, is named by its number and left
    out. No file is an empty one. Raises OSError.
    """
    told, seen = Told(), set(known)
    for number, line in every_line(path):
        try:
            stone = tombstones.from_line(keys, line)
        except NotAuthentic:
            told.refused.append(number)
            continue
        if stone.day >= since and stone.id not in seen:
            told.stones.append(stone)
        seen.add(stone.id)
    return told


def count(path: Path) -> int:
    """Return how many lines the file has, 0 where there is none. Raises OSError."""
    return sum(1 for _ in every_line(path))


def every_line(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold something, with their numbers; of a long one a part."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        number = 0
        while line := file.readline(_MOST_LINE):
            number += 1
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(_MOST_LINE)
            text = line.decode("ascii", "replace").strip()
            if text:
                yield number, text
