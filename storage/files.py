"""Evidence on disk: sealed in chunks, never whole in memory, never in clear.

A file has a key of its own. Chunks of 64 KiB are AES-256-GCM under it, the nonce is the
chunk's number and a flag on the last one, so chunks cannot be swapped, cut off or added;
the last chunk is padded to its full size, so the exact size does not show. The original's
key is sealed twice (vault inside, case outside), the working copy's to the case. A name
leads to the case, so what a copy of the disk tells of the time is the day, never more.
"""

import contextlib
import json
import os
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import Session, col, select

from storage import sealing
from storage.keys import ServerKeys
from storage.models import File
from storage.sealing import Context, NotAuthentic
from storage.words import FileState

CHUNK = 64 * 1024
_LENGTH = struct.Struct(">I")
_ROOM = CHUNK - _LENGTH.size
_SEALED = CHUNK + 16
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
        self._box = AESGCM(self.key)
        self._buffer = bytearray()
        self._count = 0
        self._settled = False
        self.part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART}")

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.fdopen(
            os.open(self.part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb"
        )
        _hush(self.path)
        return self

    def settle(self, day: date) -> None:
        """Put the finished file under its final name, dated ``day``; harmless twice."""
        if self._settled:
            return
        moment = datetime.combine(day, time(), UTC).timestamp()
        os.utime(self.part, (moment, moment))
        self.part.replace(self.path)
        _hush(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self._settled = True

    def drop(self) -> None:
        """Remove what was not settled."""
        self.part.unlink(missing_ok=True)
        _hush(self.path)

    def write(self, data: bytes) -> None:
        """Seal some more bytes."""
        self.size += len(data)
        self._buffer += data
        while len(self._buffer) > _ROOM:
            self._chunk(bytes(self._buffer[:_ROOM]), last=False)
            del self._buffer[:_ROOM]

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
                self._chunk(bytes(self._buffer), last=True)
                self._file.flush()
                os.fsync(self._file.fileno())
            undo.pop_all()
        if not self._apart:
            self.settle(_NO_DAY)

    def _chunk(self, plain: bytes, *, last: bool) -> None:
        framed = (_LENGTH.pack(len(plain)) + plain).ljust(CHUNK, b"\0")
        self._file.write(
            self._box.encrypt(_nonce(self._count, last=last), framed, None)
        )
        self._count += 1


def chunks(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield the plain bytes of a sealed file; NotAuthentic for any change."""
    box, count = AESGCM(key), 0
    with path.open("rb") as file:
        sealed = file.read(_SEALED)
        while sealed:
            following = file.read(_SEALED)
            try:
                framed = box.decrypt(_nonce(count, last=not following), sealed, None)
            except InvalidTag as error:
                raise NotAuthentic from error
            (length,) = _LENGTH.unpack_from(framed)
            yield framed[_LENGTH.size : _LENGTH.size + length]
            sealed, count = following, count + 1


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
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, context(row, "tag"), _content(row))


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
    return sealing.encode(
        row.day.isoformat().encode(),
        row.state.encode(),
        row.original_key or b"",
        row.copy_key or b"",
        row.details or b"",
    )


def context(row: File, column: str) -> Context:
    """Return the place of a seal in this row."""
    return Context("files", row.id, column, row.report)


def _nonce(count: int, *, last: bool) -> bytes:
    return struct.pack(">QHBB", count, 0, 0, int(last))
