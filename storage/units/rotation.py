"""A unit's key ends and the next one begins: somebody left, or it is time.

The new pair is made, sealed to every remaining member and to the recovery key, and its
secret is forgotten; nobody needs a key for that, so an admin or an operator may do it.
Old generations stay sealed to the members until nothing names them
(``storage.rekeying.unit_keys``); those of the vault stay for good, because what is sealed to
them is opened once, if ever.
"""

from sqlmodel import Session, col, delete

from storage.audit import manifests
from storage.audit.manifests import Name, name_of
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.models import Membership, Officer, Unit, UnitGrant
from storage.people import officers
from storage.units import memberships, units


class NoKeyYet(Exception):
    """The unit has no key yet: it is born with the unit's first member."""


def rotate(session: Session, keys: ServerKeys, unit: Unit) -> int:
    """Give a unit a new pair and return the new generation.

    With nobody left in it the secret is sealed to the recovery key alone: reports go on
    arriving, and wait until somebody recovers the unit. Raises NoKeyYet,
    ``recovery.RecoveryMissing``, NotAuthentic.
    """
    manifests.hold(session, Name.PEOPLE)
    unit = locked(session, keys, unit.id)
    if unit.public_key is None:
        raise NoKeyYet
    units.new_key(session, keys, unit, memberships.members(session, keys, unit))
    return unit.generation


def leave(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> bool:
    """End a membership, and delete what the officer holds of the unit's key.

    False where there was none. The caller rotates: the officer knew the secret.
    """
    row = session.get(Membership, (unit.id, officer.id))
    held = delete(UnitGrant).where(
        col(UnitGrant.unit) == unit.id, col(UnitGrant.recipient) == officer.id
    )
    session.exec(held)
    if row is None:
        return False
    listed = officers.membership(row)
    counted = manifests.present(session, keys, Name.PEOPLE).rows
    if name_of(listed) in counted:
        manifests.change(session, keys, Name.PEOPLE, out=[listed])
    session.delete(row)
    session.flush()
    return True


def locked(session: Session, keys: ServerKeys, unit_id: bytes) -> Unit:
    """Return a verified unit; nobody else gives it a key or seals to it until the commit.

    Raises ``units.NoSuchUnit``, NotAuthentic.
    """
    unit = session.get(Unit, unit_id, with_for_update=True, populate_existing=True)
    if unit is None:
        raise units.NoSuchUnit
    units.require(session, keys, unit)
    return unit


def held(session: Session, keys: ServerKeys, unit_id: bytes) -> Unit:
    """Return a verified unit whose key stays the present one until the commit.

    Whoever seals to it takes it this way: otherwise its old secret could be dropped
    between the seal and the commit. Raises ``units.NoSuchUnit``, NotAuthentic.
    """
    known = units.verified(session, keys, unit_id).generation
    lock = {"read": True}
    unit = session.get(Unit, unit_id, with_for_update=lock, populate_existing=True)
    if unit is None:
        raise units.NoSuchUnit
    if unit.generation != known:
        transactions.forget(session)
        units.require(session, keys, unit)
    return unit
