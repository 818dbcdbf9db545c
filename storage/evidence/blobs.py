"""The blob store, where evidence lies: sealed in chunks, never whole in memory or in clear.

A file is a sealed stream (``storage/crypto/streams.py``) under a key of its own; an ``original``
and perhaps a ``copy`` belong to each row. Here stands what every blob store can do, and the one
that is a folder; the other is ``storage/evidence/bucket.py``. The folder tells the day on which
a file came, and no time.
"""

import contextlib
import hashlib
import os
import re
import secrets
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from storage.crypto import streams

PART: Final = ".part"
NAME: Final = re.compile(r"([0-9a-f]{32})\.(original|copy)(\.[0-9a-f]{16})?", re.ASCII)
"""A finished file: its row, which one, and in a bucket the mark of its key."""
_WHICH: Final = ("original", "copy")
_NO_DAY: Final = date(1970, 1, 1)
_MARK: Final = 8


@dataclass(frozen=True, slots=True)
class Blob:
    """A sealed file: its name, its size in bytes, since when it lies there (Unix seconds)."""

    name: str
    size: int
    since: float


class Away(OSError):
    """The blob store does not answer, or refuses us; try again later."""


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
        _hush(self.path)
        return self

    def publish(self) -> None:
        """Bring a finished file to where it will lie, if that is far; raises OSError."""

    def settle(self, day: date) -> None:
        """Put the finished file under its final name, dated ``day``; harmless twice."""
        if not self._settled:
            _settle(self.part, self.path, day)
            self._settled = True

    def drop(self) -> None:
        """Remove what was not settled."""
        self.part.unlink(missing_ok=True)
        _hush(self.path)

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


def place(folder: Path, file_id: bytes, which: str) -> Path:
    """Return where a file lies; ``which`` is ``original`` or ``copy``."""
    return folder / place_of(f"{file_id.hex()}.{which}")


def place_of(name: str) -> str:
    """Return where a name lies inside its blob store."""
    return f"{name[:2]}/{name}"


def mark_of(key: bytes) -> str:
    """Return what a file's name ends in where two tries must not meet in one name."""
    return "." + hashlib.sha256(b"name of a file" + key).digest()[:_MARK].hex()


class BlobStore(ABC):
    """Where sealed files lie. ``path`` is a folder of ours; whatever fails is an OSError.

    ``which`` is ``original`` or ``copy``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def chunks(
        self,
        file_id: bytes,
        which: str,
        key: bytes,
        *,
        start: int = 0,
        size: int | None = None,
    ) -> Iterator[bytes]:
        """Yield the plain bytes of a file; NotAuthentic for any change.

        ``start`` and ``size`` ask for a part of it, in bytes; only that is opened. Nothing
        stands behind the end: who asks for it hears NotAuthentic.
        """
        with self._found(f"{file_id.hex()}.{which}", key) as file:
            yield from opened(file, key, start=start, size=size)

    def remove(self, file_id: bytes) -> None:
        """Delete what lies of a file."""
        for which in _WHICH:
            for name in self.names(file_id, which):
                self.discard(name)

    @abstractmethod
    def sealer(self, file_id: bytes, which: str) -> Sealer:
        """Return who writes a file; it waits apart for ``publish`` and ``settle``."""

    @abstractmethod
    def names(self, file_id: bytes, which: str) -> list[str]:
        """Return the names of what lies of a file: one, unless a try was left behind."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open a file as it was sealed; FileNotFoundError."""

    @abstractmethod
    def bring_back(self, name: str, pieces: Iterable[bytes], *, day: date) -> None:
        """Write a file as it was sealed once under its name."""

    @abstractmethod
    def discard(self, name: str) -> None:
        """Delete what lies under a name; nothing there is no failure."""

    @abstractmethod
    def blobs(self) -> Iterator[Blob]:
        """Yield everything that lies here, what is not finished too."""

    def _found(self, name: str, key: bytes) -> BinaryIO:
        """Open a file of either kind of store: files move from one to the other."""
        try:
            return self.open(name + mark_of(key))
        except FileNotFoundError:
            return self.open(name)


class FolderStore(BlobStore):
    """A blob store that is a folder on this machine's disk."""

    @override
    def sealer(self, file_id: bytes, which: str) -> Sealer:
        return Sealer(place(self.path, file_id, which), apart=True)

    @override
    def names(self, file_id: bytes, which: str) -> list[str]:
        path = place(self.path, file_id, which)
        found = (one.name for one in path.parent.glob(f"{path.name}*"))
        return sorted(name for name in found if NAME.fullmatch(name))

    @override
    def open(self, name: str) -> BinaryIO:
        return (self.path / place_of(name)).open("rb")

    @override
    def bring_back(self, name: str, pieces: Iterable[bytes], *, day: date) -> None:
        path = self.path / place_of(name)
        with written(path, pieces) as part:
            _settle(part, path, day)

    @override
    def discard(self, name: str) -> None:
        path = self.path / place_of(name)
        path.unlink(missing_ok=True)
        _hush(path)

    @override
    def blobs(self) -> Iterator[Blob]:
        for path in self.path.glob("*/*"):
            if path != self.path / place_of(path.name):
                continue  # whatever else lies here is not ours
            with contextlib.suppress(FileNotFoundError):
                told = path.stat()
                # Not the time of its content: that is set to a day, and this to the truth.
                yield Blob(path.name, told.st_size, told.st_ctime)


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


def _settle(part: Path, path: Path, day: date) -> None:
    """Give a finished file its name, to disk; it tells the day and no more."""
    moment = datetime.combine(day, time(), UTC).timestamp()
    os.utime(part, (moment, moment))
    part.replace(path)
    _hush(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _hush(path: Path) -> None:
    """Let the folders of a file tell no time."""
    for folder in (path.parent, path.parent.parent):
        with contextlib.suppress(OSError):
            os.utime(folder, (0, 0))
