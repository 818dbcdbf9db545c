"""Recovery: what a holder's paper opens, and new papers for a house that lives.

The ``cases`` secret opens the secrets of handling units, ``identities`` the vault's; each
lets somebody in as a member would. New pairs take the place of old ones only with a
member of every unit present: nobody else can open what must be sealed to them.
"""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, delete, select

from storage.crypto.sealing import NotAuthentic, public_of
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, RecoveryKey, Unit, UnitGrant
from storage.units import grants as unit_grants
from storage.units import memberships, recovery_keys, rotation, units
from storage.words import Recipient, UnitKind

KIND = {purpose: kind for kind, purpose in recovery_keys.PURPOSE.items()}


class WrongPaper(Exception):
    """The paper belongs to other recovery keys than those of this database."""


class NothingToRecover(Exception):
    """No unit of this kind has a key that the paper opens."""


class MemberMissing(Exception):
    """A member of every unit must be present, who holds every key of it."""


def of_kind(session: Session, purpose: str) -> list[Unit]:
    """Return the units with a key that a paper opens, by name, unchecked."""
    kind = KIND[purpose].value
    found = units.everything(session)
    return [unit for unit in found if unit.kind == kind and unit.public_key]


def check_paper(
    session: Session, keys: ServerKeys, purpose: str, secret: bytes
) -> RecoveryKey:
    """Return the recovery key that this secret belongs to. Raises WrongPaper."""
    row = recovery_keys.key_for(session, keys, KIND[purpose])
    if public_of(secret) != row.public_key:
        raise WrongPaper
    return row


def let_in(
    session: Session,
    keys: ServerKeys,
    purpose: str,
    secret: bytes,
    unit: Unit,
    officer: Officer,
) -> int:
    """Open every generation of a unit's secret and let an officer in; return how many.

    Raises WrongPaper, NothingToRecover, ``memberships.WrongHouse``, ``memberships.HasMembers``,
    NotAuthentic.
    """
    row = check_paper(session, keys, purpose, secret)
    unit = rotation.locked(session, keys, unit.id)
    if KIND[purpose] != UnitKind(unit.kind):
        raise WrongPaper
    memberships.may_join(session, keys, unit, officer)
    found = _opened(keys, unit, _grants(session, unit, row.id), secret)
    if unit.generation not in found:
        raise NothingToRecover
    _seal(
        session, keys, unit, (Recipient.OFFICER, officer.id, officer.public_key), found
    )
    memberships.join(session, keys, unit, officer)
    return len(found)


def replace(
    session: Session,
    keys: ServerKeys,
    purpose: str,
    public: bytes,
    present: Sequence[tuple[Officer, bytes]],
) -> list[Unit]:
    """Seal every unit's secrets to a new offline key, and delete what the old one opens.

    ``present`` are officers with their secret keys. Raises MemberMissing,
    ``recovery.RecoveryMissing``, ``recovery.RecoveryRefused``, NotAuthentic.
    """
    old, new = recovery_keys.replace(session, keys, purpose, public)
    holder = (Recipient.RECOVERY, new.id, new.public_key)
    done = []
    for named in of_kind(session, purpose):
        unit = rotation.locked(session, keys, named.id)
        needed = {grant.generation for grant in _grants(session, unit, old.id)}
        found = _held(session, keys, unit, present, needed | {unit.generation})
        session.exec(
            delete(UnitGrant).where(
                col(UnitGrant.unit) == unit.id,
                col(UnitGrant.recipient_kind) == Recipient.RECOVERY.value,
            )
        )
        _seal(session, keys, unit, holder, found)
        done.append(unit)
    session.flush()
    return done


def _held(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    present: Sequence[tuple[Officer, bytes]],
    needed: set[int],
) -> Mapping[int, bytes]:
    """Return a unit's secrets as a member who is present opens them."""
    for officer, secret in present:
        if not memberships.is_member(session, keys, unit, officer):
            continue
        grants = unit_grants.held_by(session, unit, officer)
        found = _opened(keys, unit, grants, secret)
        if needed <= set(found):
            return found
    raise MemberMissing(
        f"a member of {unit.name} must be present, who holds every key of it: name one "
        "with --member"
    )


def _opened(
    keys: ServerKeys, unit: Unit, grants: Sequence[UnitGrant], secret: bytes
) -> dict[int, bytes]:
    """Open what is ours of these grants; what was planted beside them hides nothing."""
    found: dict[int, bytes] = {}
    for grant in grants:
        try:
            found[grant.generation] = unit_grants.opened(keys, unit, grant, secret)
        except NotAuthentic:
            continue
    return found


def _grants(session: Session, unit: Unit, recipient: bytes) -> Sequence[UnitGrant]:
    query = select(UnitGrant).where(
        UnitGrant.unit == unit.id, UnitGrant.recipient == recipient
    )
    return session.exec(query.order_by(col(UnitGrant.generation))).all()


def _seal(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    holder: tuple[Recipient, bytes, bytes],
    found: Mapping[int, bytes],
) -> None:
    for generation, secret in sorted(found.items()):
        unit_grants.grant(session, keys, unit, holder, generation, secret)
