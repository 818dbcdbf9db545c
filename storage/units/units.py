"""Units and their keys: who is admitted, and who opens what.

A unit's pair is born when its first member enrols, sealed to that member and to the
offline recovery key. Later members are admitted by a member, never by an admin: only a
holder of the unit's secret can seal it to somebody else. A row whose tag does not check
is never used, a key that does not check is never sealed to.
"""

import secrets
from collections.abc import Sequence

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, NotAuthentic, encode, new_pair
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.models import Membership, Officer, Unit
from storage.people import officers
from storage.units import grants, recovery_keys
from storage.words import Recipient, Role, UnitKind

_MEMBERS = {
    UnitKind.HANDLING: {Role.INTAKE, Role.HANDLER, Role.SUPERVISOR},
    UnitKind.VAULT: {Role.CUSTODIAN},
}


class NoSuchUnit(Exception):
    """There is no unit with this name; see ``kentongan unit list``."""


class UnitExists(Exception):
    """There is such a unit already: names are unique, and there is one vault."""


class HasMembers(Exception):
    """The unit has its key already: a present member must admit the newcomer."""


class WrongHouse(Exception):
    """Custodians sit in the vault, the others in handling units, nobody in both."""


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


def admit_first(
    session: Session, keys: ServerKeys, unit: Unit, officer: Officer
) -> bytes:
    """Make the unit's pair, seal it to its first member and to the recovery key.

    Returns the unit's secret, for the caller's present act only. Raises HasMembers,
    WrongHouse, ``recovery.RecoveryMissing``, NotAuthentic.
    """
    require(session, keys, unit)
    if unit.public_key is not None:
        raise HasMembers
    may_join(session, keys, unit, officer)
    secret = new_key(session, keys, unit, [officer])
    join(session, keys, unit, officer)
    return secret


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
    for holder in (*map(_to_officer, members), recovering):
        grants.grant(session, keys, unit, holder, unit.generation, pair.secret)
    session.flush()
    return pair.secret


def admit(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    newcomer: Officer,
    by_member: Officer,
    member_secret: bytes,
) -> None:
    """Seal every generation of the unit's secret that a member holds to a newcomer.

    Raises NotAuthentic when the member is none, holds not the present generation, or a
    row was not written by us.
    """
    require(session, keys, unit)
    officers.require(session, keys, by_member)
    may_join(session, keys, unit, newcomer)
    held = grants.held_by(session, unit, by_member)
    if not is_member(session, keys, unit, by_member):
        raise NotAuthentic
    if unit.generation not in {grant.generation for grant in held}:
        raise NotAuthentic
    for grant in held:
        secret = grants.opened(keys, unit, grant, member_secret)
        grants.grant(
            session, keys, unit, _to_officer(newcomer), grant.generation, secret
        )
    join(session, keys, unit, newcomer)


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


def units_of(session: Session, keys: ServerKeys, officer: Officer) -> list[Unit]:
    """Return the units an officer was admitted to; a planted membership counts nothing."""
    rows = session.exec(
        select(Unit)
        .join(Membership, col(Membership.unit) == col(Unit.id))
        .where(Membership.officer == officer.id)
        .order_by(col(Unit.name))
    ).all()
    found = []
    for unit in rows:
        if is_member(session, keys, unit, officer):
            require(session, keys, unit)
            found.append(unit)
    return found


def members(session: Session, keys: ServerKeys, unit: Unit) -> list[Officer]:
    """Return a unit's active members, each row checked."""
    return transactions.once(
        session, ("members", unit.id), lambda: _members(session, keys, unit)
    )


def _members(session: Session, keys: ServerKeys, unit: Unit) -> list[Officer]:
    rows = session.exec(
        select(Officer)
        .join(Membership, col(Membership.officer) == col(Officer.id))
        .where(Membership.unit == unit.id)
        .order_by(col(Officer.login))
    ).all()
    return [
        officer
        for officer in rows
        if officer.active and is_member(session, keys, unit, officer)
    ]


def is_member(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> bool:
    """Tell whether an officer was admitted to a unit, by rows that are ours and count."""
    row = session.get(Membership, (unit.id, officer.id))
    if row is None:
        return False
    try:
        check_membership(keys, row)
        manifests.require(session, keys, Name.PEOPLE, officers.membership(row))
        officers.require(session, keys, officer)
    except NotAuthentic:
        return False
    return True


def check_membership(keys: ServerKeys, row: Membership) -> None:
    """Raise NotAuthentic unless this membership was written by us."""
    keys.check_tag(row.tag, _membership_context(row), b"member")


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


def may_join(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> None:
    """Raise WrongHouse unless an account may sit in a unit; HasMembers if it does."""
    officers.require(session, keys, officer)
    kind = UnitKind(unit.kind)
    if not officer.active or Role(officer.role) not in _MEMBERS[kind]:
        raise WrongHouse
    if any(other.kind != unit.kind for other in units_of(session, keys, officer)):
        raise WrongHouse
    if is_member(session, keys, unit, officer):
        raise HasMembers


def join(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> None:
    """List somebody as a member, to whom the unit's secret is sealed already."""
    row = Membership(unit=unit.id, officer=officer.id, tag=b"")
    row.tag = keys.tag(_membership_context(row), b"member")
    session.add(row)
    session.flush()
    manifests.change(session, keys, Name.PEOPLE, into=[officers.membership(row)])


def _to_officer(officer: Officer) -> tuple[Recipient, bytes, bytes]:
    return Recipient.OFFICER, officer.id, officer.public_key


def _membership_context(row: Membership) -> Context:
    return Context("memberships", encode(row.unit, row.officer), "tag")


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
