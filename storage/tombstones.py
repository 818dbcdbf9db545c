"""Tombstones: what was erased of which report, so that a restored backup erases it again.

A row is written in the transaction that erases. Its line goes into a file that is kept
apart from the backups: the row's own fields and its tag, nothing about a person.
"""

import secrets
from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from storage.keys import ServerKeys
from storage.models import Tombstone
from storage.sealing import Context, NotAuthentic, encode
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
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()
    return row


def unwritten(session: Session, *, limit: int) -> list[Tombstone]:
    """Return rows whose line does not stand in the file yet."""
    query = select(Tombstone).where(col(Tombstone.written).is_(False))
    return list(session.exec(query.order_by(col(Tombstone.id)).limit(limit)))


def mark_written(session: Session, ids: Sequence[bytes]) -> None:
    """Record that the lines of these rows are on disk, in the file."""
    session.connection().execute(
        update(Tombstone).where(col(Tombstone.id).in_(list(ids))).values(written=True)
    )


def known(session: Session) -> set[bytes]:
    """Return the ids of all rows."""
    return set(session.exec(select(Tombstone.id)))


def keep(session: Session, row: Tombstone) -> None:
    """Put back a row that a line of the file told of; it needs no line any more."""
    row.written = True
    session.add(row)
    session.flush()


def drop(session: Session, *, before: date) -> int:
    """Delete written rows of days before this one; returns how many."""
    gone = session.connection().execute(
        delete(Tombstone).where(
            col(Tombstone.day) < before, col(Tombstone.written).is_(True)
        )
    )
    return gone.rowcount


def line(row: Tombstone) -> str:
    """Return a row as it stands in the file: six fields, no line break."""
    who, day = f"{row.id.hex()} {row.report.hex()}", row.day.isoformat()
    return f"{VERSION} {who} {row.what} {day} {row.tag.hex()}"


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
            tag=bytes.fromhex(tag),
        )
    except ValueError:
        raise NotAuthentic from None
    check(keys, row)
    return row


def check(keys: ServerKeys, row: Tombstone) -> None:
    """Raise NotAuthentic unless we wrote this row."""
    keys.check_tag(row.tag, _context(row), _content(row))


def _content(row: Tombstone) -> bytes:
    return encode(row.what.encode(), row.day.isoformat().encode())


def _context(row: Tombstone) -> Context:
    return Context("tombstones", row.id, "row", row.report)
