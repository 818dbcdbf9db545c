"""Who may: the one answer, for verbs before they act and for pages before they show.

Asked is always the account as it stands now: rows that are ours and count, a session of
yesterday proves nothing. Whom Telegram tells is decided by the same answers
(``handlers/notices/officers.py``).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from handlers.errors import NotYours, TwoPeopleNeeded
from handlers.work import Work
from storage.cases import conflicts, history
from storage.models import Case, Invitation, Officer, Reveal, Unit
from storage.people import officers
from storage.units import admissions, memberships, units
from storage.words import Role, Status, UnitKind, Urgency

WITHOUT_UNIT: Final = frozenset({Role.AUDITOR, Role.ADMIN})
"""Roles that sit in no unit: somebody confirms them instead of admitting them."""
HANDLING: Final = frozenset({Role.INTAKE, Role.HANDLER, Role.SUPERVISOR})
"""Who works on cases; nobody else reaches a case, a file or a grant."""


class Owner(StrEnum):
    """Whose a case is, as one officer of its unit sees it. An ended case is nobody's."""

    NOBODY = "nobody"
    ME = "me"
    PRESENT = "present"
    ABSENT = "absent"
    LEADERLESS = "leaderless"
    """Somebody absent's, and no supervisor of the unit is there to take it over."""


class Act(StrEnum):
    """What an officer may do with a case as its owner, or because nobody else can.

    Approving what somebody proposed, asking and noting are open to the whole unit.
    """

    MOVE = "move"
    TAKE = "take"
    LET_GO = "let_go"
    HAND_ON = "hand_on"
    TAKE_OVER = "take_over"


_OWN: Final = frozenset({Act.MOVE, Act.HAND_ON, Act.LET_GO})
_LEADS: Final = frozenset({Act.MOVE, Act.HAND_ON, Act.TAKE_OVER})
_WORKS: Final[Mapping[Owner, frozenset[Act]]] = {
    Owner.NOBODY: frozenset({Act.MOVE, Act.TAKE}),
    Owner.ME: _OWN,
    Owner.PRESENT: frozenset(),
    Owner.ABSENT: frozenset(),
    Owner.LEADERLESS: frozenset({Act.TAKE_OVER}),
}
WHOSE: Final[Mapping[Role, Mapping[Owner, frozenset[Act]]]] = {
    Role.INTAKE: _WORKS,
    Role.HANDLER: _WORKS,
    Role.SUPERVISOR: {
        Owner.NOBODY: frozenset({Act.MOVE, Act.TAKE, Act.HAND_ON}),
        Owner.ME: _OWN,
        Owner.PRESENT: frozenset({Act.MOVE}),
        Owner.ABSENT: _LEADS,
        Owner.LEADERLESS: _LEADS,
    },
}
"""Who may do what with whose case; the steps themselves are the workflow's."""
LETTERS: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})
"""Who mends the way out, and who answers for it that reporters hear back."""


def present(work: Work, officer_id: bytes) -> Officer:
    """Return who acts, as the account is now.

    Raises NotYours where it has ended or waits to be confirmed, NotAuthentic.
    """
    officer = officers.by_id(work.store, work.keys, officer_id)
    if not officer.active:
        raise NotYours
    if admissions.is_unconfirmed(work.store, work.keys, officer_id):
        raise NotYours
    return officer


def is_settled(work: Work, officer: Officer) -> bool:
    """Tell whether an account opens anything: active, ours, and let in by somebody.

    Admins and auditors were confirmed, all others admitted to a unit.
    """
    if not officer.active or not officers.counts(work.store, work.keys, officer):
        return False
    if officer.role in WITHOUT_UNIT:
        return not admissions.is_unconfirmed(work.store, work.keys, officer.id)
    return bool(memberships.units_of(work.store, work.keys, officer))


def holders(work: Work, role: Role) -> list[Officer]:
    """Return the settled accounts of a role, by login."""
    return [
        officer
        for officer in officers.everyone(work.store)
        if officer.role == role and is_settled(work, officer)
    ]


def sits_in(work: Work, officer: Officer, unit: Unit) -> bool:
    """Tell whether an officer is a member of a unit now."""
    return officer.active and memberships.is_member(
        work.store, work.keys, unit, officer
    )


def reaches(work: Work, case: Case, officer: Officer) -> bool:
    """Tell whether a case exists for an officer: it is their unit's, and no conflict bars them."""
    if conflicts.is_barred(work.store, case.report, officer.id):
        return False
    own = memberships.units_of(work.store, work.keys, officer)
    return officer.active and any(unit.id == case.unit for unit in own)


def acts(work: Work, case: Case, officer: Officer) -> frozenset[Act]:
    """Return what an officer of the case's unit may do with it now."""
    own = WHOSE.get(Role(officer.role), {})
    return own.get(owner(work, case, officer), frozenset())


def owner(work: Work, case: Case, officer: Officer) -> Owner:
    """Return whose a case is to this officer."""
    if case.officer is None or not case.is_open:
        return Owner.NOBODY
    if case.officer == officer.id:
        return Owner.ME
    if not is_absent(work, case):
        return Owner.PRESENT
    leads = [one for one in _unit_of(work, case) if one.role == Role.SUPERVISOR]
    led = any(one.id != case.officer for one in leads)
    return Owner.ABSENT if led else Owner.LEADERLESS


def is_absent(work: Work, case: Case) -> bool:
    """Tell whether the officer of a case is gone, barred, or has not looked at it for days.

    For how many working days says the table of steps (``absent_after``).
    """
    if case.officer is None or case.officer not in {
        one.id for one in _unit_of(work, case)
    }:
        return True
    given = case.officer.hex()
    days = [
        event.day
        for event in history.of_case(work.store, case.report)
        if event.officer == case.officer or event.detail == given
    ]
    if not days:
        return True
    quiet = work.office.calendar.working_days(max(days), work.day)
    after = work.office.rulebook.workflow.absent_after[Urgency(case.urgency).name]
    return quiet > after


def takers(work: Work, case: Case) -> list[Officer]:
    """Return to whom a case can be handed on: members with a next step, not its officer."""
    workflow, before = work.office.rulebook.workflow, case.before
    return [
        one
        for one in _unit_of(work, case)
        if one.id != case.officer
        and workflow.moves(
            Status(case.status), Role(one.role), Status(before) if before else None
        )
    ]


def _unit_of(work: Work, case: Case) -> list[Officer]:
    """Return the members of a case's unit, without those whom a conflict bars from it."""
    unit = units.verified(work.store, work.keys, case.unit)
    barred = conflicts.who_declared(work.store, case.report)
    members = memberships.members(work.store, work.keys, unit)
    return [one for one in members if one.id not in barred]


def require_handler(work: Work, case: Case, officer: Officer) -> None:
    """Raise NotYours or TwoPeopleNeeded unless this officer handles the case now.

    They must be a member of the case's unit, sit in no vault, and have no conflict.
    """
    if not reaches(work, case, officer):
        raise NotYours
    own = memberships.units_of(work.store, work.keys, officer)
    if any(one.kind != UnitKind.HANDLING for one in own):
        raise TwoPeopleNeeded


def may_hand_over(work: Work, case: Case, officer: Officer) -> bool:
    """Tell whether an officer may give a case to another unit.

    Who handles it, and is a supervisor of its unit or took the case.
    """
    try:
        require_handler(work, case, officer)
    except (NotYours, TwoPeopleNeeded):
        return False
    return officer.role == Role.SUPERVISOR or case.officer == officer.id


def require_custodian(work: Work, officer: Officer, row: Reveal | None = None) -> Unit:
    """Return the vault; raise TwoPeopleNeeded unless this officer guards it and only it.

    Whoever asked for ``row`` is not the one who decides about it; NotYours for whoever
    declared a conflict on its case.
    """
    vault = units.vault(work.store, work.keys)
    own = memberships.units_of(work.store, work.keys, officer)
    guards = officer.active and officer.role == Role.CUSTODIAN
    if not guards or [unit.id for unit in own] != [vault.id]:
        raise TwoPeopleNeeded
    if row is not None and row.officer == officer.id:
        raise TwoPeopleNeeded
    if row is not None and conflicts.is_barred(work.store, row.report, officer.id):
        raise NotYours
    return vault


def may_invite(work: Work, by: Officer, role: Role, unit: Unit | None) -> bool:
    """Tell whether an officer may invite to this role: admins, and supervisors at home."""
    if by.role == Role.ADMIN:
        return True
    if by.role != Role.SUPERVISOR or role not in HANDLING or unit is None:
        return False
    return memberships.is_member(work.store, work.keys, unit, by)


def may_withdraw(by: Officer, row: Invitation) -> bool:
    """Tell whether an officer may take an invitation back: whoever gave it, or an admin."""
    return by.role == Role.ADMIN or row.officer == by.id


def may_confirm(work: Work, by: Officer) -> bool:
    """Tell whether an officer confirms accounts: admins, and supervisors with a seat."""
    if by.role not in {Role.ADMIN, Role.SUPERVISOR} or not is_settled(work, by):
        return False
    own = memberships.units_of(work.store, work.keys, by)
    return by.role == Role.ADMIN or any(u.kind == UnitKind.HANDLING for u in own)


def may_remove(work: Work, by: Officer, unit: Unit) -> bool:
    """Tell whether an officer may take somebody out of a unit.

    An admin anywhere, a supervisor in their own unit, a custodian in the vault.
    """
    if by.role == Role.ADMIN:
        return True
    wanted = Role.CUSTODIAN if unit.kind == UnitKind.VAULT else Role.SUPERVISOR
    return by.role == wanted and memberships.is_member(work.store, work.keys, unit, by)
