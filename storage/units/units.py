"""Units and their pairs, each sealed to its members and to the offline recovery key.

A row whose tag does not check is never used, a key that does not check is never sealed to.
"""

import secrets
from collections.abc import Sequence

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, encode, new_pair
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.models import Officer, Unit
from storage.units import grants, recovery_keys
from storage.words import Recipient, UnitKind


class NoSuchUnit(Exception):
    """There is no unit with this name; see ``kentongan unit list``."""


class UnitExists(Exception):
    """There is such a unit already: names are unique, and there is one vault."""


def create(session: Session, keys: ServerKeys, name: str, kind: UnitKind) -> Unit:
    """Add a unit without a key yet. Raises UnitExists."""
    same = select(Unit).where(Unit.name == name)
    if session.exec(same).first() is not None:
        raise UnitExists
    if kind is UnitKind.VAULT and _vault_row(session) is not None:
        raise UnitExists
    unit = Unit(id=secrets.token_bytes(16), name=name, kind=kind.value, tag=b"")
    _sign(keys, unit)
    session.add(unit)
    session.flush()
    manifests.change(session, keys, Name.PEOPLE, into=[_row(unit)])
    return unit


def new_key(
    session: Session, keys: ServerKeys, unit: Unit, members: Sequence[Officer]
) -> bytes:
    """Give a verified unit its next pair, sealed to these members and to the recovery key.

    Returns the secret. Raises ``recovery.RecoveryMissing``, NotAuthentic.
    """
    offline = recovery_keys.key_for(session, keys, UnitKind(unit.kind))
    pair = new_pair()
    was = _row(unit)
    unit.public_key, unit.generation = pair.public, unit.generation + 1
    _sign(keys, unit)
    session.add(unit)
    manifests.change(session, keys, Name.PEOPLE, out=[was], into=[_row(unit)])
    recovering = (Recipient.RECOVERY, offline.id, offline.public_key)
    for holder in (*map(grants.to_officer, members), recovering):
        grants.grant(session, keys, unit, holder, unit.generation, pair.secret)
    session.flush()
    return pair.secret


def verified(session: Session, keys: ServerKeys, unit_id: bytes) -> Unit:
    """Return a unit whose row is ours. Raises NoSuchUnit, NotAuthentic."""
    return transactions.once(
        session, ("unit", unit_id), lambda: _found(session, keys, unit_id)
    )


def named(session: Session, keys: ServerKeys, name: str) -> Unit:
    """Return the unit with this name. Raises NoSuchUnit, NotAuthentic."""
    unit = session.exec(select(Unit).where(Unit.name == name)).first()
    if unit is None:
        raise NoSuchUnit
    require(session, keys, unit)
    return unit


def everything(session: Session) -> list[Unit]:
    """Return all units by name, unchecked: for lists of names."""
    return list(session.exec(select(Unit).order_by(col(Unit.name))))


def vault(session: Session, keys: ServerKeys) -> Unit:
    """Return the custodians' unit. Raises NoSuchUnit, NotAuthentic."""
    row = transactions.once(session, ("vault",), lambda: _vault_row(session))
    if row is None:
        raise NoSuchUnit
    return verified(session, keys, row.id)


def check(keys: ServerKeys, unit: Unit) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(unit.tag, _context(unit), _content(unit))


def require(session: Session, keys: ServerKeys, unit: Unit) -> None:
    """Raise NotAuthentic unless this row was written by us and counts now."""
    check(keys, unit)
    manifests.require(session, keys, Name.PEOPLE, _row(unit))


def _found(session: Session, keys: ServerKeys, unit_id: bytes) -> Unit:
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise NoSuchUnit
    require(session, keys, unit)
    return unit


def _vault_row(session: Session) -> Unit | None:
    return session.exec(select(Unit).where(Unit.kind == UnitKind.VAULT.value)).first()


def _sign(keys: ServerKeys, unit: Unit) -> None:
    unit.tag = keys.tag(_context(unit), _content(unit))


def _row(unit: Unit) -> bytes:
    return encode(b"unit", unit.id, str(unit.generation).encode(), _content(unit))


def _context(unit: Unit) -> Context:
    return Context("units", unit.id, "tag", generation=unit.generation)


def _content(unit: Unit) -> bytes:
    return encode(unit.name.encode(), unit.kind.encode(), unit.public_key or b"")
