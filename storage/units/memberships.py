"""Who sits in a unit: who was admitted, and who may be.

A unit's pair is born when its first member enrols. Later members are admitted by a
member, never by an admin: only a holder of the unit's secret can seal it to somebody else.
"""

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.models import Membership, Officer, Unit
from storage.people import officers
from storage.units import grants, units
from storage.words import Role, UnitKind

_MEMBERS = {
    UnitKind.HANDLING: {Role.INTAKE, Role.HANDLER, Role.SUPERVISOR},
    UnitKind.VAULT: {Role.CUSTODIAN},
}


class HasMembers(Exception):
    """The unit has its key already: a present member must admit the newcomer."""


class WrongHouse(Exception):
    """Custodians sit in the vault, the others in handling units, nobody in both."""


def admit_first(
    session: Session, keys: ServerKeys, unit: Unit, officer: Officer
) -> bytes:
    """Make the unit's pair, seal it to its first member and to the recovery key.

    Returns the unit's secret, for the caller's present act only. Raises HasMembers,
    WrongHouse, ``recovery.RecoveryMissing``, NotAuthentic.
    """
    units.require(session, keys, unit)
    if unit.public_key is not None:
        raise HasMembers
    may_join(session, keys, unit, officer)
    secret = units.new_key(session, keys, unit, [officer])
    join(session, keys, unit, officer)
    return secret


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
    units.require(session, keys, unit)
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
            session, keys, unit, grants.to_officer(newcomer), grant.generation, secret
        )
    join(session, keys, unit, newcomer)


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
            units.require(session, keys, unit)
            found.append(unit)
    return found


def members(session: Session, keys: ServerKeys, unit: Unit) -> list[Officer]:
    """Return a unit's active members, each row checked."""
    return transactions.once(
        session, ("members", unit.id), lambda: _members(session, keys, unit)
    )


def _members(session: Session, keys: ServerKeys, unit: Unit) -> list[Officer]:
    rows = session.exec(
        select(Officer, Membership)
        .join(Membership, col(Membership.officer) == col(Officer.id))
        .where(Membership.unit == unit.id)
        .order_by(col(Officer.login))
    ).all()
    return [
        officer
        for officer, _ in rows
        if officer.active and is_member(session, keys, unit, officer)
    ]


def is_member(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> bool:
    """Tell whether an officer was admitted to a unit, by rows that are ours and count."""
    row = session.get(Membership, (unit.id, officer.id))
    if row is None:
        return False
    try:
        check(keys, row)
        manifests.require(session, keys, Name.PEOPLE, officers.membership(row))
        officers.require(session, keys, officer)
    except NotAuthentic:
        return False
    return True


def check(keys: ServerKeys, row: Membership) -> None:
    """Raise NotAuthentic unless this membership was written by us."""
    keys.check_tag(row.tag, _context(row), b"member")


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
    row.tag = keys.tag(_context(row), b"member")
    session.add(row)
    session.flush()
    manifests.change(session, keys, Name.PEOPLE, into=[officers.membership(row)])


def _context(row: Membership) -> Context:
    return Context("memberships", encode(row.unit, row.officer), "tag")
