"""Who goes: out of a unit, or out of the house. Access ends now, and the unit gets a new key.

What the officer had taken goes back to the queue, a step they had proposed is dropped.
Nobody's key is needed for it: the new one is sealed to whoever remains.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, or_, select

from handlers.errors import LastAdmin, LastMember, NotYours
from handlers.office import Office
from handlers.people import joining
from handlers.reveals import ending
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.cases import cases, history, reports
from storage.cases.history import SYSTEM, Actor
from storage.models import REAL, Case, LinkToken, Officer, Unit
from storage.notices import failed
from storage.people import officers, sessions, telegram_links
from storage.units import admissions, rotation, units
from storage.words import ActorClass, EventCode, Role, UnitKind


def remove(
    session: Session,
    office: Office,
    unit_id: bytes,
    officer_id: bytes,
    *,
    by: bytes | None,
    knowing: bool = False,
    now: datetime,
) -> int:
    """Take an officer out of a unit and return the unit's new generation.

    ``by`` is None for the operator. Raises NotYours, and LastMember unless the operator
    is ``knowing``: then only the recovery key will open what comes.
    """
    keys = office.keys
    manifests.hold(session, Name.PEOPLE)
    unit = units.verified(session, keys, unit_id)
    officer = officers.by_id(session, keys, officer_id)
    _allowed(session, office, unit, by)
    if not units.is_member(session, keys, unit, officer):
        raise NotYours
    if by is not None or not knowing:
        _refuse_emptying(session, office, unit, officer)
    returned = _leave(session, office, unit, officer, by, now)
    sessions.end_all(session, officer.id)
    generation = rotation.rotate(session, keys, unit)
    ending.end_for_officer(session, office, officer.id, now=now)
    _witness(session, office, returned, by, now)
    _record(session, office, "unit.removed", by, officer.id.hex(), now)
    rotated = f"{unit.id.hex()}:{generation}"
    _record(session, office, "unit.rotated", by, rotated, now)
    manifests.witness(session, keys, now=now)
    return generation


def end(
    session: Session,
    office: Office,
    officer_id: bytes,
    *,
    by: bytes | None,
    knowing: bool = False,
    now: datetime,
) -> None:
    """End an account and every membership of it; the name stays in histories.

    ``by`` is an admin, or None for the operator. Raises NotYours, LastAdmin, and
    LastMember unless the operator is ``knowing``: no admin alone locks everybody out.
    """
    keys = office.keys
    manifests.hold(session, Name.PEOPLE)
    officer = officers.by_id(session, keys, officer_id)
    if by is not None and joining.present(session, office, by).role != Role.ADMIN:
        raise NotYours
    if not officer.active:
        raise NotYours
    if by is not None and _admins(session, office) == [officer.id]:
        raise LastAdmin
    homes = units.units_of(session, keys, officer)
    returned: list[Case] = []
    for unit in homes:
        if by is not None or not knowing:
            _refuse_emptying(session, office, unit, officer)
        returned += _leave(session, office, unit, officer, by, now)
    admissions.drop_all(session, keys, officer.id)
    admissions.confirm(session, keys, officer.id)
    _forget(session, office, officer.id)
    officers.deactivate(session, keys, officer.id)
    rotated = [(unit, rotation.rotate(session, keys, unit)) for unit in homes]
    ending.end_for_officer(session, office, officer.id, now=now)
    _witness(session, office, returned, by, now)
    _record(session, office, "officer.ended", by, officer.id.hex(), now)
    for unit, generation in rotated:
        detail = f"{unit.id.hex()}:{generation}"
        _record(session, office, "unit.rotated", by, detail, now)
    manifests.witness(session, keys, now=now)


def may_remove(session: Session, office: Office, by: Officer, unit: Unit) -> bool:
    """Tell whether an officer may take somebody out of a unit.

    An admin anywhere, a supervisor in their own unit, a custodian in the vault.
    """
    if by.role == Role.ADMIN:
        return True
    wanted = Role.CUSTODIAN if unit.kind == UnitKind.VAULT else Role.SUPERVISOR
    return by.role == wanted and units.is_member(session, office.keys, unit, by)


def is_last(session: Session, office: Office, unit: Unit, officer: Officer) -> bool:
    """Tell whether nobody, or no supervisor, would remain in a unit."""
    left = [
        one for one in units.members(session, office.keys, unit) if one.id != officer.id
    ]
    if not left:
        return True
    led = officer.role == Role.SUPERVISOR
    return led and all(one.role != Role.SUPERVISOR for one in left)


def _allowed(session: Session, office: Office, unit: Unit, by: bytes | None) -> None:
    if by is None:
        return
    if not may_remove(session, office, joining.present(session, office, by), unit):
        raise NotYours


def _refuse_emptying(
    session: Session, office: Office, unit: Unit, officer: Officer
) -> None:
    if is_last(session, office, unit, officer):
        raise LastMember


def _admins(session: Session, office: Office) -> list[bytes]:
    """Return who is an admin now; whoever waits to be confirmed is none yet."""
    return [
        one.id
        for one in officers.everyone(session)
        if one.active
        and one.role == Role.ADMIN
        and officers.counts(session, office.keys, one)
        and not admissions.is_unconfirmed(session, office.keys, one.id)
    ]


def _leave(
    session: Session,
    office: Office,
    unit: Unit,
    officer: Officer,
    by: bytes | None,
    now: datetime,
) -> list[Case]:
    """End a membership, and put what the officer had in this unit back into its queue."""
    rotation.leave(session, office.keys, unit, officer)
    reports.take_away(session, office.keys, unit.id, officer.id)
    mine = or_(col(Case.officer) == officer.id, col(Case.wanted_by) == officer.id)
    theirs = session.exec(
        select(Case.report)
        .where(REAL, mine, Case.unit == unit.id, col(Case.is_open).is_(True))
        .order_by(col(Case.report))
    ).all()
    found = [cases.lock(session, office.keys, report) for report in theirs]
    returned = [case for case in found if case is not None]
    for case in returned:
        _return(session, office, case, officer, by, now)
    return returned


def _return(
    session: Session,
    office: Office,
    case: Case,
    officer: Officer,
    by: bytes | None,
    now: datetime,
) -> None:
    actor = Actor(ActorClass.OFFICER, by, now) if by is not None else SYSTEM
    codes = []
    if case.officer == officer.id:
        case.officer = None
        codes.append(EventCode.TAKEN)
    if case.wanted_by == officer.id:
        case.wanted_status = case.wanted_reason = case.wanted_by = None
        codes.append(EventCode.APPROVAL_ASKED)
    for code in codes:
        history.append(
            session,
            office.keys,
            case,
            code,
            by=actor,
            day=office.day(now),
            detail="left",
        )
    cases.save(session, office.keys, case)


def _forget(session: Session, office: Office, officer: bytes) -> None:
    """Delete the officer's Telegram, and a link to it that was not pressed yet."""
    failed.forget_officer(session, office.keys, officer)
    session.exec(delete(LinkToken).where(col(LinkToken.officer) == officer))
    telegram_links.unlink(session, officer)


def _witness(
    session: Session,
    office: Office,
    returned: Sequence[Case],
    by: bytes | None,
    now: datetime,
) -> None:
    """Write the heads of the histories into the audit log; the cases are all locked."""
    for case in returned:
        log.record(
            session,
            office.keys,
            "case.returned",
            officer=by,
            report=case.report,
            detail=history.short(case.head),
            now=now,
        )


def _record(
    session: Session,
    office: Office,
    code: str,
    by: bytes | None,
    detail: str,
    now: datetime,
) -> None:
    log.record(session, office.keys, code, officer=by, detail=detail, now=now)
