"""Evidence on disk: sealed in chunks, never whole in memory, never in clear.

A file has a key of its own and is a sealed stream (``storage/streams.py``). The original's
key is sealed twice (vault inside, case outside), the working copy's to the case. A name
leads to the case, so what a copy of the disk tells of the time is the day, never more.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import Session, col, select

from storage import sealing, streams
from storage.keys import ServerKeys
from storage.models import File
from storage.sealing import Context, NotAuthentic
from storage.words import FileState

PART = ".part"
_NO_DAY = date(1970, 1, 1)


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

    def settle(self, day: date) -> None:
        """Put the finished file under its final name, dated ``day``; harmless twice."""
        if not self._settled:
            _settle(self.part, self.path, day)
            self._settled = True

    def drop(self) -> None:
        """Remove what was not settled."""
        self.part.unlink(missing_ok=True)
        _hush(self.path)

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


def chunks(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield the plain bytes of a sealed file; NotAuthentic for any change."""
    with path.open("rb") as file:
        yield from streams.read(file, key)


def bring_back(path: Path, pieces: Iterable[bytes], *, day: date) -> None:
    """Write a file as it was sealed once, to disk, under its name, dated ``day``."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART}")
    try:
        number = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(number)
        _settle(part, path, day)
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a file gave: keys of both copies, and details sealed to the case.

    ``parts`` are the sealers whose files wait to be settled.
    """

    original_key: bytes = field(repr=False)
    copy_key: bytes | None = field(repr=False)
    details: Mapping[str, str] = field(repr=False)
    parts: Sequence[Sealer] = field(default=(), repr=False)


def reserve(session: Session, keys: ServerKeys, report: bytes, *, day: date) -> bytes:
    """Make the row of a file that is still to be fetched; returns its id."""
    row = File(id=secrets.token_bytes(16), report=report, day=day, tag=b"")
    save(session, keys, row)
    return row.id


def awaited(
    session: Session, keys: ServerKeys, file_id: bytes, *, report: bytes
) -> bool:
    """Tell whether a file of this report is still to come; locks its row. NotAuthentic."""
    row = _awaited(session, keys, file_id)
    return row is not None and row.report == report


def taken(
    session: Session,
    keys: ServerKeys,
    file_id: bytes,
    file: Taken,
    *,
    public: bytes,
    vault: bytes,
) -> bool:
    """Settle a file on disk and record it; False when it is awaited no more.

    The files get their final names under the lock of the row, before the commit: a row
    never tells of a file that is not there, and nobody else's file is replaced. Raises
    NotAuthentic for a row that we did not write.
    """
    row = _awaited(session, keys, file_id)
    if row is None:
        return False
    original = context(row, "original_key")
    row.original_key = sealing.seal_twice(file.original_key, vault, public, original)
    row.copy_key = None
    if file.copy_key is not None:
        row.copy_key = sealing.seal(file.copy_key, public, context(row, "copy_key"))
    details = sealing.pad(json.dumps(dict(file.details)).encode("ascii"))
    row.details = sealing.seal(details, public, context(row, "details"))
    row.state = FileState.TAKEN.value
    save(session, keys, row)
    for part in file.parts:
        part.settle(row.day)
    return True


def refused(
    session: Session, keys: ServerKeys, file_id: bytes, state: FileState
) -> bool:
    """Record that a file will not come; False when it is awaited no more.

    Raises NotAuthentic for a row that we did not write.
    """
    row = _awaited(session, keys, file_id)
    if row is None:
        return False
    row.original_key = row.copy_key = row.details = None
    row.state = state.value
    save(session, keys, row)
    return True


def of_report(session: Session, keys: ServerKeys, report: bytes) -> list[File]:
    """Return a report's verified files; raises NotAuthentic for a planted one."""
    rows = session.exec(
        select(File).where(File.report == report).order_by(col(File.id))
    ).all()
    for row in rows:
        check(keys, row)
    return list(rows)


def details(row: File, secret: bytes) -> Mapping[str, str]:
    """Open a taken file's details (name, type, size, SHA-256) with the report's secret."""
    if row.details is None or row.state != FileState.TAKEN:
        return {}
    plain = sealing.open_seal(row.details, secret, context(row, "details"))
    found: Mapping[str, str] = json.loads(sealing.unpad(plain))
    return found


def copy_key(row: File, secret: bytes) -> bytes | None:
    """Open the working copy's key with the report's secret; None if there is no copy."""
    if row.copy_key is None or row.state != FileState.TAKEN:
        return None
    return sealing.open_seal(row.copy_key, secret, context(row, "copy_key"))


def open_original(row: File, secret: bytes, half: bytes | None = None) -> bytes:
    """Open one seal of the original's key: the case's, or the vault's in that ``half``."""
    sealed = row.original_key if half is None else half
    return sealing.open_seal(sealed or b"", secret, context(row, "original_key"))


def place(folder: Path, file_id: bytes, which: str) -> Path:
    """Return where a file lies; ``which`` is ``original`` or ``copy``."""
    name = file_id.hex()
    return folder / name[:2] / f"{name}.{which}"


def remove(folder: Path, file_id: bytes) -> None:
    """Delete what lies on disk of a file."""
    for which in ("original", "copy"):
        path = place(folder, file_id, which)
        path.unlink(missing_ok=True)
        _hush(path)


def _awaited(session: Session, keys: ServerKeys, file_id: bytes) -> File | None:
    row = session.get(File, file_id, with_for_update=True)
    if row is None:
        return None
    check(keys, row)
    return row if row.state == FileState.WAITING else None


def check(keys: ServerKeys, row: File) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands.

    A row of the first schema was tagged without its day.
    """
    try:
        keys.check_tag(row.tag, context(row, "tag"), _content(row))
    except NotAuthentic:
        keys.check_tag(row.tag, context(row, "tag"), sealing.encode(*_told(row)))


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


def save(session: Session, keys: ServerKeys, row: File) -> None:
    """Write a row that was changed, with a fresh tag."""
    row.tag = keys.tag(context(row, "tag"), _content(row))
    session.add(row)
    session.flush()


def _content(row: File) -> bytes:
    return sealing.encode(row.day.isoformat().encode(), *_told(row))


def _told(row: File) -> tuple[bytes, ...]:
    return (
        row.state.encode(),
        row.original_key or b"",
        row.copy_key or b"",
        row.details or b"",
    )


def context(row: File, column: str) -> Context:
    """Return the place of a seal in this row."""
    return Context("files", row.id, column, row.report)
