"""Chain of custody: what was taken is committed to in the audit log, which names no file.

The commitment is a SHA-256 over a salt, the file's id and its own SHA-256; salt and hash
are sealed to the case. Who opens the case can show that the log has held it since a day;
who reads the log alone learns that some file came that day.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from sqlmodel import Session, col, select

from storage.audit import log
from storage.crypto.sealing import encode
from storage.crypto.server_key import ServerKeys
from storage.models import AuditLine

CODE: Final = "file.taken"
_LABEL: Final = b"kentongan file v1"


def commitment(file_id: bytes, details: Mapping[str, str]) -> str:
    """Return what the log holds of a file: 64 hex digits; "" where nothing was committed.

    ``details`` are the file's sealed ones: ``salt``, ``sha256``, ``size``, ``at``, ``ref``.
    """
    salt = details.get("salt", "")
    if not salt:
        return ""
    told = [details.get(name, "") for name in ("sha256", "size", "at", "ref")]
    raw = encode(_LABEL, salt.encode(), file_id, *(one.encode() for one in told))
    return hashlib.sha256(raw).hexdigest()


def commit(
    session: Session,
    keys: ServerKeys,
    file_id: bytes,
    details: Mapping[str, str],
    *,
    day: date,
) -> None:
    """Write a file's commitment into the log, dated by the day; the last act of a verb."""
    found = commitment(file_id, details)
    if found:
        moment = datetime.combine(day, time(), UTC)
        log.record(session, keys, CODE, officer=None, detail=found, now=moment)


def committed(
    session: Session, file_id: bytes, details: Mapping[str, str]
) -> date | None:
    """Return since when the log holds a file as its details tell it; None: it does not."""
    found = commitment(file_id, details)
    if not found:
        return None
    line = session.exec(
        select(AuditLine)
        .where(AuditLine.code == CODE, AuditLine.detail == found)
        .order_by(col(AuditLine.seq))
        .limit(1)
    ).first()
    return line.at.date() if line is not None else None
