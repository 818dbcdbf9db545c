"""One sealed file on disk: written and read in chunks, never whole in memory or in clear.

It is a sealed stream (``storage/crypto/streams.py``) under a key of its own.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.crypto import streams

PART: Final = ".part"
_NO_DAY: Final = date(1970, 1, 1)


class Sealer:
    """Writes a sealed file: ``write`` any bytes, leave the ``with`` block to finish.

    Nothing stands under the final name until everything is on disk; an exception leaves
    nothing behind. With ``apart`` the finished file waits under a name of its own for
    ``settle`` or ``drop``. ``key`` opens the file, ``size`` is the plain size in bytes.
    """

    def __init__(self, path: Path, *, apart: bool = False) -> None:
        self.path = path
        self.key = AESGCM.generate_key(256)
        self.size = 0
        self._apart = apart
        self._settled = False
        self.part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART}")

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.fdopen(
            os.open(self.part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb"
        )
        self._stream = streams.StreamWriter(self._file, self.key)
        hush(self.path)
        return self

    def publish(self) -> None:
        """Bring a finished file to where it will lie, if that is far; raises OSError."""

    def settle(self, day: date) -> None:
        """Put the finished file under its final name, dated ``day``; harmless twice."""
        if not self._settled:
            settle(self.part, self.path, day)
            self._settled = True

    def drop(self) -> None:
        """Remove what was not settled."""
        self.part.unlink(missing_ok=True)
        hush(self.path)

    def tidy(self) -> None:
        """Once the row is stored: remove what tries before left of this file. OSError."""

    def write(self, data: bytes) -> None:
        """Seal some more bytes."""
        self.size += len(data)
        self._stream.write(data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.ExitStack() as undo:
            undo.callback(self.drop)
            with self._file:
                if kind is not None:
                    return
                self._stream.end()
                self._file.flush()
                os.fsync(self._file.fileno())
            undo.pop_all()
        if not self._apart:
            self.settle(_NO_DAY)


def chunks(
    path: Path, key: bytes, *, start: int = 0, size: int | None = None
) -> Iterator[bytes]:
    """Yield the plain bytes of a sealed file on disk, as ``BlobStore.chunks`` does."""
    with path.open("rb") as file:
        yield from opened(file, key, start=start, size=size)


def opened(
    file: BinaryIO, key: bytes, *, start: int = 0, size: int | None = None
) -> Iterator[bytes]:
    """Yield plain bytes of a sealed file, which is at its beginning; NotAuthentic."""
    left = sys.maxsize if size is None else size
    for piece in streams.read(file, key, start=start):
        if left <= 0:
            return
        yield piece[:left]
        left -= len(piece)


@contextlib.contextmanager
def written(path: Path, pieces: Iterable[bytes]) -> Iterator[Path]:
    """Write bytes beside ``path``, to disk, for the time of the block."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART}")
    try:
        number = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(number)
        yield part
    finally:
        part.unlink(missing_ok=True)


def settle(part: Path, path: Path, day: date) -> None:
    """Give a finished file its name, to disk; it tells the day and no more."""
    moment = datetime.combine(day, time(), UTC).timestamp()
    os.utime(part, (moment, moment))
    part.replace(path)
    hush(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def hush(path: Path) -> None:
    """Let the folders of a file tell no time."""
    for folder in (path.parent, path.parent.parent):
        with contextlib.suppress(OSError):
            os.utime(folder, (0, 0))
