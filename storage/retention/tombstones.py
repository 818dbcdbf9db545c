"""Tombstones: what was erased of which report, so that a restored backup erases it again.

A row is written in the transaction that erases. Its line goes into a file that is kept
apart from the backups: the row's own fields and a tag of its own, nothing about a person.
"""

import secrets
from collections.abc import Sequence
from datetime import date
from itertools import islice

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import ServerKeys
from storage.models import Tombstone
from storage.words import Erased

VERSION = "1"
_FIELDS = 6


def put(
    session: Session, keys: ServerKeys, report: bytes, what: Erased, *, day: date
) -> Tombstone:
    """Write down that something is gone; ``day`` is the agency's local day."""
    row = Tombstone(
        id=secrets.token_bytes(16), report=report, what=what.value, day=day, tag=b""
    )
    _save(session, keys, row)
    return row


def unwritten(session: Session, keys: ServerKeys, *, limit: int) -> list[Tombstone]:
    """Return rows whose line does not stand in the file yet; one that is not ours never."""
    query = select(Tombstone).where(col(Tombstone.written).is_(False))
    rows = session.exec(query.order_by(col(Tombstone.id)))
    return list(islice((row for row in rows if _is_ours(keys, row)), limit))


def waiting(session: Session) -> int:
    """Return how many rows have no line in the file yet, ours or not."""
    query = select(func.count()).where(col(Tombstone.written).is_(False))
    return session.exec(query).one()


def mark_written(session: Session, keys: ServerKeys, ids: Sequence[bytes]) -> None:
    """Record that the lines of these rows are on disk, in the file."""
    query = select(Tombstone).where(col(Tombstone.id).in_(list(ids)))
    for row in session.exec(query.with_for_update()).all():
        if _is_ours(keys, row):
            row.written = True
            _save(session, keys, row)


def known(session: Session) -> set[bytes]:
    """Return the ids of all rows."""
    return set(session.exec(select(Tombstone.id)))


def is_known(session: Session, row: Tombstone) -> bool:
    """Tell whether this store knows a tombstone already."""
    return session.get(Tombstone, row.id) is not None


def keep(session: Session, keys: ServerKeys, row: Tombstone) -> None:
    """Put back a row that a line of the file told of; it needs no line any more."""
    row.written = True
    _save(session, keys, row)


def drop(session: Session, *, before: date) -> int:
    """Delete written rows of days before this one; returns how many."""
    gone = session.connection().execute(
        delete(Tombstone).where(
            col(Tombstone.day) < before, col(Tombstone.written).is_(True)
        )
    )
    return gone.rowcount


def line(keys: ServerKeys, row: Tombstone) -> str:
    """Return a row as it stands in the file: six fields, no line break. NotAuthentic."""
    check(keys, row)
    tag = keys.tag(_context(row, "line"), _told(row))
    return _written(row, tag)


def from_line(keys: ServerKeys, text: str) -> Tombstone:
    """Read a line of the file. Raises NotAuthentic for one that we did not write."""
    fields = text.split(" ")
    if len(fields) != _FIELDS or fields[0] != VERSION:
        raise NotAuthentic
    _, row_id, report, what, day, tag = fields
    try:
        row = Tombstone(
            id=bytes.fromhex(row_id),
            report=bytes.fromhex(report),
            what=Erased(what).value,
            day=date.fromisoformat(day),
            tag=b"",
        )
        proof = bytes.fromhex(tag)
        keys.check_tag(proof, _context(row, "line"), _told(row))
    except ValueError:
        raise NotAuthentic from None
    if text != _written(row, proof):  # the same said otherwise: not as we write it
        raise NotAuthentic
    return row


def _written(row: Tombstone, tag: bytes) -> str:
    who, day = f"{row.id.hex()} {row.report.hex()}", row.day.isoformat()
    return f"{VERSION} {who} {row.what} {day} {tag.hex()}"


def check(keys: ServerKeys, row: Tombstone) -> None:
    """Raise NotAuthentic unless we wrote this row."""
    keys.check_tag(row.tag, _context(row), _content(row))


def _is_ours(keys: ServerKeys, row: Tombstone) -> bool:
    try:
        check(keys, row)
    except NotAuthentic:
        return False
    return True


def _save(session: Session, keys: ServerKeys, row: Tombstone) -> None:
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()


def _content(row: Tombstone) -> bytes:
    return encode(_told(row), b"written" if row.written else b"")


def _told(row: Tombstone) -> bytes:
    return encode(row.what.encode(), row.day.isoformat().encode())


def _context(row: Tombstone, column: str = "row") -> Context:
    return Context("tombstones", row.id, column, row.report)
