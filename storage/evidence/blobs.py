"""The blob store, where evidence lies, as sealed files (``storage/evidence/sealed_files.py``).

An ``original`` and perhaps a ``copy`` belong to each row. Here stands what every blob store
can do, and the one that is a folder; the other is ``storage/evidence/bucket.py``. The folder
tells the day on which a file came, and no time.
"""

import contextlib
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

from typing_extensions import override

from storage.evidence import sealed_files
from storage.evidence.sealed_files import Sealer

NAME: Final = re.compile(r"([0-9a-f]{32})\.(original|copy)(\.[0-9a-f]{16})?", re.ASCII)
"""A finished file: its row, which one, and in a bucket the mark of its key."""
_WHICH: Final = ("original", "copy")
_MARK: Final = 8


@dataclass(frozen=True, slots=True)
class Blob:
    """A sealed file: its name, its size in bytes, since when it lies there (Unix seconds)."""

    name: str
    size: int
    since: float


class Away(OSError):
    """The blob store does not answer, or refuses us; try again later."""


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
            yield from sealed_files.opened(file, key, start=start, size=size)

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
        with sealed_files.written(path, pieces) as part:
            sealed_files.settle(part, path, day)

    @override
    def discard(self, name: str) -> None:
        path = self.path / place_of(name)
        path.unlink(missing_ok=True)
        sealed_files.hush(path)

    @override
    def blobs(self) -> Iterator[Blob]:
        for path in self.path.glob("*/*"):
            if path != self.path / place_of(path.name):
                continue  # whatever else lies here is not ours
            with contextlib.suppress(FileNotFoundError):
                told = path.stat()
                # Not the time of its content: that is set to a day, and this to the truth.
                yield Blob(path.name, told.st_size, told.st_ctime)
