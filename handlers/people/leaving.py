"""Who goes: out of a unit, or out of the house. Access ends now, and the unit gets a new key.

What the officer had taken goes back to the queue, a step they had proposed is dropped.
Nobody's key is needed for it: the new one is sealed to whoever remains.
"""

from collections.abc import Sequence

from handlers import authority
from handlers.errors import LastAdmin, LastMember, NotYours
from handlers.reveals import ending
from handlers.work import Work
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.cases import cases, history, reports, worklist
from storage.cases.history import SYSTEM, Actor
from storage.models import Case, Officer, Unit
from storage.notices import failed
from storage.people import officers, sessions, telegram_links
from storage.units import admissions, memberships, rotation, units
from storage.words import ActorClass, EventCode, Role


def remove(
    work: Work,
    unit_id: bytes,
    officer_id: bytes,
    *,
    by: bytes | None,
    knowing: bool = False,
) -> int:
    """Take an officer out of a unit and return the unit's new generation.

    ``by`` is None for the operator. Raises NotYours, and LastMember unless the operator
    is ``knowing``: then only the recovery key will open what comes.
    """
    keys = work.keys
    manifests.hold(work.store, Name.PEOPLE)
    unit = units.verified(work.store, keys, unit_id)
    officer = officers.by_id(work.store, keys, officer_id)
    _allowed(work, unit, by)
    if not memberships.is_member(work.store, keys, unit, officer):
        raise NotYours
    if by is not None or not knowing:
        _refuse_emptying(work, unit, officer)
    returned = _leave(work, unit, officer, by)
    sessions.end_all(work.store, officer.id)
    generation = rotation.rotate(work.store, keys, unit)
    ending.end_for_officer(work, officer.id)
    _witness(work, returned, by)
    _record(work, "unit.removed", by, officer.id.hex())
    rotated = f"{unit.id.hex()}:{generation}"
    _record(work, "unit.rotated", by, rotated)
    manifests.witness(work.store, keys, now=work.now)
    return generation


def end(
    work: Work, officer_id: bytes, *, by: bytes | None, knowing: bool = False
) -> None:
    """End an account and every membership of it; the name stays in histories.

    ``by`` is an admin, or None for the operator. Raises NotYours, LastAdmin, and
    LastMember unless the operator is ``knowing``: no admin alone locks everybody out.
    """
    keys = work.keys
    manifests.hold(work.store, Name.PEOPLE)
    officer = officers.by_id(work.store, keys, officer_id)
    if by is not None and authority.present(work, by).role != Role.ADMIN:
        raise NotYours
    if not officer.active:
        raise NotYours
    if by is not None and [one.id for one in authority.holders(work, Role.ADMIN)] == [
        officer.id
    ]:
        raise LastAdmin
    homes = memberships.units_of(work.store, keys, officer)
    returned: list[Case] = []
    for unit in homes:
        if by is not None or not knowing:
            _refuse_emptying(work, unit, officer)
        returned += _leave(work, unit, officer, by)
    admissions.drop_all(work.store, keys, officer.id)
    admissions.confirm(work.store, keys, officer.id)
    _forget(work, officer.id)
    officers.deactivate(work.store, keys, officer.id)
    rotated = [(unit, rotation.rotate(work.store, keys, unit)) for unit in homes]
    ending.end_for_officer(work, officer.id)
    _witness(work, returned, by)
    _record(work, "officer.ended", by, officer.id.hex())
    for unit, generation in rotated:
        detail = f"{unit.id.hex()}:{generation}"
        _record(work, "unit.rotated", by, detail)
    manifests.witness(work.store, keys, now=work.now)


def is_last(work: Work, unit: Unit, officer: Officer) -> bool:
    """Tell whether nobody, or no supervisor, would remain in a unit."""
    left = [
        one
        for one in memberships.members(work.store, work.keys, unit)
        if one.id != officer.id
    ]
    if not left:
        return True
    led = officer.role == Role.SUPERVISOR
    return led and all(one.role != Role.SUPERVISOR for one in left)


def _allowed(work: Work, unit: Unit, by: bytes | None) -> None:
    if by is None:
        return
    if not authority.may_remove(work, authority.present(work, by), unit):
        raise NotYours


def _refuse_emptying(work: Work, unit: Unit, officer: Officer) -> None:
    if is_last(work, unit, officer):
        raise LastMember


def _leave(work: Work, unit: Unit, officer: Officer, by: bytes | None) -> list[Case]:
    """End a membership, and put what the officer had in this unit back into its queue."""
    rotation.leave(work.store, work.keys, unit, officer)
    reports.take_away(work.store, work.keys, unit.id, officer.id)
    theirs = worklist.held_by(work.store, unit.id, officer.id)
    found = [cases.lock(work.store, work.keys, report) for report in theirs]
    returned = [case for case in found if case is not None]
    for case in returned:
        _return(work, case, officer, by)
    return returned


def _return(work: Work, case: Case, officer: Officer, by: bytes | None) -> None:
    actor = Actor(ActorClass.OFFICER, by, work.now) if by is not None else SYSTEM
    codes = []
    if case.officer == officer.id:
        case.officer = None
        codes.append(EventCode.TAKEN)
    if case.wanted_by == officer.id:
        case.wanted_status = case.wanted_reason = case.wanted_by = None
        codes.append(EventCode.APPROVAL_ASKED)
    for code in codes:
        history.append(
            work.store,
            work.keys,
            case,
            code,
            by=actor,
            day=work.day,
            detail="left",
        )
    cases.save(work.store, work.keys, case)


def _forget(work: Work, officer: bytes) -> None:
    """Delete the officer's Telegram, and a link to it that was not pressed yet."""
    failed.forget_officer(work.store, work.keys, officer)
    telegram_links.forget(work.store, officer)


def _witness(work: Work, returned: Sequence[Case], by: bytes | None) -> None:
    """Write the heads of the histories into the audit log; the cases are all locked."""
    for case in returned:
        log.record(
            work.store,
            work.keys,
            "case.returned",
            officer=by,
            report=case.report,
            detail=history.short(case.head),
            now=work.now,
        )


def _record(work: Work, code: str, by: bytes | None, detail: str) -> None:
    log.record(work.store, work.keys, code, officer=by, detail=detail, now=work.now)
