"""Rows of evidence: which file it is, how far taking it has come, and its keys.

The original's key is sealed twice (vault inside, case outside), the working copy's to the
case. What lies on disk is ``storage/evidence/blobs.py``.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session, col, select

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.evidence.sealed_files import Sealer
from storage.models import File
from storage.words import FileState


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
