"""Who comes: invited by an admin or a supervisor, joined by themselves, admitted by a member.

An admin makes accounts and grants nothing. Whoever joined opens nothing until a member
of the unit has compared their words and sealed the unit's key to them.
"""

from handlers import authority
from handlers.errors import NotYours, SecondOfficerNeeded
from handlers.notices import officers as notices
from handlers.work import Work
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.models import Officer, Unit
from storage.people import invitations, officers
from storage.people.officers import NewAccount
from storage.units import admissions, memberships, units
from storage.words import Role, UnitKind


class NoSuchInvitation(Exception):
    """The invitation was used, is older than 7 days, or never was; ask for a new one."""


def invite(
    work: Work,
    login: str,
    *,
    name: str,
    role: Role,
    language: str,
    unit: bytes | None,
    by: bytes | None,
) -> str:
    """Return the token of a one-time link; ``by`` is None for the operator.

    Raises NotYours for what the inviter may not give, ``memberships.WrongHouse`` where role
    and unit do not fit, ``officers.BadLogin`` and ``officers.LoginTaken``.
    """
    keys = work.keys
    manifests.hold(work.store, Name.PEOPLE)
    into = units.verified(work.store, keys, unit) if unit else None
    if by is not None:
        inviter = authority.present(work, by)
        if not authority.may_invite(work, inviter, role, into):
            raise NotYours
    _fits(role, into)
    token = invitations.issue(
        work.store,
        keys,
        login,
        name=name,
        role=role,
        language=language,
        unit=unit,
        by=by,
        now=work.now,
    )
    log.record(
        work.store, keys, "officer.invited", officer=by, detail=role.value, now=work.now
    )
    return token


def join(work: Work, token: str, account: NewAccount) -> Officer:
    """Make the account that an invitation allows; it waits before its unit, or to be confirmed.

    Where the unit has no key yet and an admin or the operator invited, its key is born
    here. Raises NoSuchInvitation, ``officers.LoginTaken``,
    ``recovery.RecoveryMissing``, NotAuthentic when the inviter's account ended since.
    """
    keys = work.keys
    manifests.hold(work.store, Name.PEOPLE)
    row = invitations.take(work.store, keys, token, now=work.now)
    if row is None or (row.login, row.role) != (account.login, account.role.value):
        raise NoSuchInvitation
    inviter = invitations.inviter(work.store, keys, row)
    into = units.verified(work.store, keys, row.unit) if row.unit else None
    if inviter is not None and not authority.may_invite(
        work, inviter, account.role, into
    ):
        raise NotYours
    newcomer = officers.add(work.store, keys, account)
    log.record(
        work.store,
        keys,
        "officer.joined",
        officer=newcomer.id,
        detail=newcomer.role,
        now=work.now,
    )
    if into is not None:
        _knock(work, into, newcomer, inviter)
    else:
        admissions.leave_unconfirmed(work.store, keys, newcomer)
        if inviter is not None:
            admissions.remember_inviter(work.store, keys, newcomer, inviter)
    manifests.witness(work.store, keys, now=work.now)
    return newcomer


def admit(
    work: Work, unit_id: bytes, newcomer_id: bytes, *, by: bytes, secret: bytes
) -> None:
    """Seal the unit's key to somebody who waits; ``secret`` is the admitting member's.

    Raises ``applications.NotWaiting``, NotYours for whoever is no member, NotAuthentic,
    and SecondOfficerNeeded for whoever invited: alone they would make of themself two.
    """
    unit, newcomer, member = _at_the_door(work, unit_id, newcomer_id, by)
    if admissions.is_invited_by(work.store, work.keys, newcomer, member):
        raise SecondOfficerNeeded
    memberships.admit(work.store, work.keys, unit, newcomer, member, secret)
    admissions.drop(work.store, work.keys, unit_id, newcomer_id)
    _record(work, "unit.admitted", member, newcomer)


def refuse(work: Work, unit_id: bytes, newcomer_id: bytes, *, by: bytes) -> None:
    """Send somebody away who waits; the account stays. Raises as ``admit``."""
    _, newcomer, member = _at_the_door(work, unit_id, newcomer_id, by)
    admissions.drop(work.store, work.keys, unit_id, newcomer_id)
    _record(work, "unit.refused", member, newcomer)


def withdraw(work: Work, login: str, *, by: bytes) -> None:
    """Take an invitation back: whoever gave it, or an admin. Raises NotYours."""
    person = authority.present(work, by)
    for row in invitations.waiting(work.store, work.keys, now=work.now):
        if row.login != officers.normal_login(login):
            continue
        if not authority.may_withdraw(person, row):
            raise NotYours
        invitations.withdraw(work.store, login)
        log.record(
            work.store,
            work.keys,
            "officer.uninvited",
            officer=by,
            detail=row.role,
            now=work.now,
        )


def _fits(role: Role, unit: Unit | None) -> None:
    if unit is None:
        if role not in authority.WITHOUT_UNIT:
            raise memberships.WrongHouse
        return
    wanted = {Role.CUSTODIAN} if unit.kind == UnitKind.VAULT else authority.HANDLING
    if role not in wanted:
        raise memberships.WrongHouse


def _knock(work: Work, unit: Unit, newcomer: Officer, inviter: Officer | None) -> None:
    if unit.public_key is None and (inviter is None or inviter.role == Role.ADMIN):
        memberships.admit_first(work.store, work.keys, unit, newcomer)
        log.record(
            work.store,
            work.keys,
            "unit.first",
            officer=newcomer.id,
            detail=unit.id.hex(),
            now=work.now,
        )
        return
    admissions.apply(work.store, work.keys, unit, newcomer)
    notices.knocked(work, unit)
    if inviter is not None:
        admissions.remember_inviter(work.store, work.keys, newcomer, inviter)


def _at_the_door(
    work: Work, unit_id: bytes, newcomer_id: bytes, by: bytes
) -> tuple[Unit, Officer, Officer]:
    manifests.hold(work.store, Name.PEOPLE)
    unit = units.verified(work.store, work.keys, unit_id)
    member = authority.present(work, by)
    if not memberships.is_member(work.store, work.keys, unit, member):
        raise NotYours
    newcomer = officers.by_id(work.store, work.keys, newcomer_id)
    admissions.require(work.store, work.keys, unit, newcomer)
    return unit, newcomer, member


def _record(work: Work, code: str, by: Officer, whom: Officer) -> None:
    log.record(
        work.store, work.keys, code, officer=by.id, detail=whom.id.hex(), now=work.now
    )
    manifests.witness(work.store, work.keys, now=work.now)
