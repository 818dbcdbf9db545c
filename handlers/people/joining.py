"""Who comes: invited by an admin or a supervisor, joined by themselves, admitted by a member.

An admin makes accounts and grants nothing. Whoever joined opens nothing until a member
of the unit has compared their words and sealed the unit's key to them.
"""

from datetime import datetime

from sqlmodel import Session

from handlers.errors import NotYours, SecondOfficerNeeded
from handlers.notices import reporters
from handlers.office import Office
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.models import Invitation, Officer, Unit
from storage.people import invitations, officers
from storage.people.officers import NewAccount
from storage.units import admissions, units
from storage.words import Role, UnitKind

WITHOUT_UNIT = frozenset({Role.AUDITOR, Role.ADMIN})
HANDLING = frozenset({Role.INTAKE, Role.HANDLER, Role.SUPERVISOR})


class NoSuchInvitation(Exception):
    """The invitation was used, is older than 7 days, or never was; ask for a new one."""


def invite(
    session: Session,
    office: Office,
    login: str,
    *,
    name: str,
    role: Role,
    language: str,
    unit: bytes | None,
    by: bytes | None,
    now: datetime,
) -> str:
    """Return the token of a one-time link; ``by`` is None for the operator.

    Raises NotYours for what the inviter may not give, ``units.WrongHouse`` where role
    and unit do not fit, ``officers.BadLogin`` and ``officers.LoginTaken``.
    """
    keys = office.keys
    manifests.hold(session, Name.PEOPLE)
    into = units.verified(session, keys, unit) if unit else None
    if by is not None:
        inviter = present(session, office, by)
        if not may_invite(session, office, inviter, role, into):
            raise NotYours
    _fits(role, into)
    token = invitations.issue(
        session,
        keys,
        login,
        name=name,
        role=role,
        language=language,
        unit=unit,
        by=by,
        now=now,
    )
    log.record(session, keys, "officer.invited", officer=by, detail=role.value, now=now)
    return token


def join(
    session: Session,
    office: Office,
    token: str,
    account: NewAccount,
    *,
    now: datetime,
) -> Officer:
    """Make the account that an invitation allows; it waits before its unit, or to be confirmed.

    Where the unit has no key yet and an admin or the operator invited, its key is born
    here. Raises NoSuchInvitation, ``officers.LoginTaken``,
    ``recovery.RecoveryMissing``, NotAuthentic when the inviter's account ended since.
    """
    keys = office.keys
    manifests.hold(session, Name.PEOPLE)
    row = invitations.take(session, keys, token, now=now)
    if row is None or (row.login, row.role) != (account.login, account.role.value):
        raise NoSuchInvitation
    inviter = invitations.inviter(session, keys, row)
    into = units.verified(session, keys, row.unit) if row.unit else None
    if inviter is not None and not may_invite(
        session, office, inviter, account.role, into
    ):
        raise NotYours
    newcomer = officers.add(session, keys, account)
    log.record(
        session,
        keys,
        "officer.joined",
        officer=newcomer.id,
        detail=newcomer.role,
        now=now,
    )
    if into is not None:
        _knock(session, office, into, newcomer, inviter, now)
    else:
        admissions.leave_unconfirmed(session, keys, newcomer)
        if inviter is not None:
            admissions.remember_inviter(session, keys, newcomer, inviter)
    manifests.witness(session, keys, now=now)
    return newcomer


def admit(
    session: Session,
    office: Office,
    unit_id: bytes,
    newcomer_id: bytes,
    *,
    by: bytes,
    secret: bytes,
    now: datetime,
) -> None:
    """Seal the unit's key to somebody who waits; ``secret`` is the admitting member's.

    Raises ``applications.NotWaiting``, NotYours for whoever is no member, NotAuthentic,
    and SecondOfficerNeeded for whoever invited: alone they would make of themself two.
    """
    unit, newcomer, member = _at_the_door(session, office, unit_id, newcomer_id, by)
    if admissions.is_invited_by(session, office.keys, newcomer, member):
        raise SecondOfficerNeeded
    units.admit(session, office.keys, unit, newcomer, member, secret)
    admissions.drop(session, office.keys, unit_id, newcomer_id)
    _record(session, office, "unit.admitted", member, newcomer, now)


def refuse(
    session: Session,
    office: Office,
    unit_id: bytes,
    newcomer_id: bytes,
    *,
    by: bytes,
    now: datetime,
) -> None:
    """Send somebody away who waits; the account stays. Raises as ``admit``."""
    _, newcomer, member = _at_the_door(session, office, unit_id, newcomer_id, by)
    admissions.drop(session, office.keys, unit_id, newcomer_id)
    _record(session, office, "unit.refused", member, newcomer, now)


def withdraw(
    session: Session, office: Office, login: str, *, by: bytes, now: datetime
) -> None:
    """Take an invitation back: whoever gave it, or an admin. Raises NotYours."""
    person = present(session, office, by)
    for row in invitations.waiting(session, office.keys, now=now):
        if row.login != officers.normal_login(login):
            continue
        if not may_withdraw(person, row):
            raise NotYours
        invitations.withdraw(session, login)
        log.record(
            session,
            office.keys,
            "officer.uninvited",
            officer=by,
            detail=row.role,
            now=now,
        )


def may_invite(
    session: Session, office: Office, by: Officer, role: Role, unit: Unit | None
) -> bool:
    """Tell whether an officer may invite to this role: admins, and supervisors at home."""
    if by.role == Role.ADMIN:
        return True
    if by.role != Role.SUPERVISOR or role not in HANDLING or unit is None:
        return False
    return units.is_member(session, office.keys, unit, by)


def may_withdraw(by: Officer, row: Invitation) -> bool:
    """Tell whether an officer may take an invitation back."""
    return by.role == Role.ADMIN or row.officer == by.id


def present(session: Session, office: Office, officer_id: bytes) -> Officer:
    """Return who acts, as the account is now.

    Raises NotYours where it has ended, or waits to be confirmed.
    """
    officer = officers.by_id(session, office.keys, officer_id)
    if not officer.active:
        raise NotYours
    if admissions.is_unconfirmed(session, office.keys, officer_id):
        raise NotYours
    return officer


def _fits(role: Role, unit: Unit | None) -> None:
    if unit is None:
        if role not in WITHOUT_UNIT:
            raise units.WrongHouse
        return
    wanted = {Role.CUSTODIAN} if unit.kind == UnitKind.VAULT else HANDLING
    if role not in wanted:
        raise units.WrongHouse


def _knock(
    session: Session,
    office: Office,
    unit: Unit,
    newcomer: Officer,
    inviter: Officer | None,
    now: datetime,
) -> None:
    if unit.public_key is None and (inviter is None or inviter.role == Role.ADMIN):
        units.admit_first(session, office.keys, unit, newcomer)
        log.record(
            session,
            office.keys,
            "unit.first",
            officer=newcomer.id,
            detail=unit.id.hex(),
            now=now,
        )
        return
    admissions.apply(session, office.keys, unit, newcomer)
    reporters.knocked(session, office, unit, now=now)
    if inviter is not None:
        admissions.remember_inviter(session, office.keys, newcomer, inviter)


def _at_the_door(
    session: Session, office: Office, unit_id: bytes, newcomer_id: bytes, by: bytes
) -> tuple[Unit, Officer, Officer]:
    manifests.hold(session, Name.PEOPLE)
    unit = units.verified(session, office.keys, unit_id)
    member = present(session, office, by)
    if not units.is_member(session, office.keys, unit, member):
        raise NotYours
    newcomer = officers.by_id(session, office.keys, newcomer_id)
    admissions.require(session, office.keys, unit, newcomer)
    return unit, newcomer, member


def _record(
    session: Session,
    office: Office,
    code: str,
    by: Officer,
    whom: Officer,
    now: datetime,
) -> None:
    log.record(session, office.keys, code, officer=by.id, detail=whom.id.hex(), now=now)
    manifests.witness(session, office.keys, now=now)
