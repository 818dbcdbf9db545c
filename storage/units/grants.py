"""Grants of a unit's secret: sealed to one member or to the offline recovery key."""

import secrets

from sqlmodel import Session, col, select

from storage.crypto.sealing import (
    Context,
    NotAuthentic,
    encode,
    open_seal,
    public_of,
    seal,
)
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, Unit, UnitGrant
from storage.words import Recipient


def grant(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    holder: tuple[Recipient, bytes, bytes],
    generation: int,
    secret: bytes,
) -> None:
    """Seal the secret to one holder: (kind, id, public key that was checked)."""
    kind, recipient, public = holder
    row = UnitGrant(
        id=secrets.token_bytes(16),
        unit=unit.id,
        recipient_kind=kind.value,
        recipient=recipient,
        generation=generation,
        secret=b"",
        tag=b"",
    )
    row.secret = seal(secret, public, _context(row, "secret"))
    row.tag = keys.tag(_context(row, "tag"), row.secret)
    session.add(row)


def held_by(session: Session, unit: Unit, officer: Officer) -> list[UnitGrant]:
    """Return what an officer holds of a unit, the oldest generation first."""
    return list(
        session.exec(
            select(UnitGrant)
            .where(UnitGrant.unit == unit.id, UnitGrant.recipient == officer.id)
            .order_by(col(UnitGrant.generation))
        )
    )


def opened(keys: ServerKeys, unit: Unit, grant: UnitGrant, secret: bytes) -> bytes:
    """Open a grant with the holder's secret. Raises NotAuthentic."""
    check(keys, grant)
    opened = open_seal(grant.secret, secret, _context(grant, "secret"))
    if grant.generation == unit.generation and public_of(opened) != unit.public_key:
        raise NotAuthentic
    return opened


def check(keys: ServerKeys, row: UnitGrant) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row, "tag"), row.secret)


def _context(row: UnitGrant, column: str) -> Context:
    return Context(
        "unit_grants",
        row.id,
        column,
        generation=row.generation,
        key=encode(row.unit, row.recipient_kind.encode(), row.recipient),
    )


def to_officer(officer: Officer) -> tuple[Recipient, bytes, bytes]:
    """Return an officer as a holder of grants."""
    return Recipient.OFFICER, officer.id, officer.public_key
