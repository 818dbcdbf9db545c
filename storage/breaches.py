"""Data breaches that became known, and who was told of each when (D22)."""

import secrets
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from storage.crypto.sealing import Context, encode
from storage.crypto.server_key import ServerKeys
from storage.models import Breach


def add(session: Session, keys: ServerKeys, *, known: datetime) -> Breach:
    """Keep a breach that became known at ``known`` (UTC)."""
    row = Breach(
        id=secrets.token_bytes(16), known=known.replace(microsecond=0), tag=b""
    )
    save(session, keys, row)
    return row


def lock(session: Session, keys: ServerKeys, breach: bytes) -> Breach | None:
    """Load a verified breach for change. Raises NotAuthentic."""
    query = select(Breach).where(Breach.id == breach)
    row = session.exec(query.with_for_update()).first()
    if row is not None:
        check(keys, row)
    return row


def save(session: Session, keys: ServerKeys, row: Breach) -> None:
    """Write a breach with a fresh tag."""
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()


def everything(session: Session, keys: ServerKeys) -> list[Breach]:
    """Return all breaches, the latest first. Raises NotAuthentic."""
    rows = session.exec(select(Breach).order_by(col(Breach.known).desc())).all()
    for row in rows:
        check(keys, row)
    return list(rows)


def check(keys: ServerKeys, row: Breach) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row), _content(row))


def _content(row: Breach) -> bytes:
    moments = (row.known, row.told_authority, row.told_reporters)
    return encode(*(_moment(one) for one in moments))


def _moment(value: datetime | None) -> bytes:
    return value.astimezone(UTC).isoformat().encode() if value else b""


def _context(row: Breach) -> Context:
    return Context("breaches", row.id, "tag")
