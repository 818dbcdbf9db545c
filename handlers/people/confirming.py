"""Who is confirmed: invited admins and auditors, after somebody compared their words.

They have no unit whose members could admit them, so another admin, or a supervisor who
sits in a unit, does it: never whoever invited them, and nobody who waits themself.
"""

from datetime import datetime

from sqlmodel import Session

from handlers.errors import NotYours, SecondOfficerNeeded
from handlers.office import Office
from handlers.people import joining
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.models import Officer
from storage.people import officers
from storage.units import admissions, units
from storage.words import Role, UnitKind


def confirm(
    session: Session, office: Office, officer_id: bytes, *, by: bytes, now: datetime
) -> None:
    """Let an account that waits be one.

    Raises ``admissions.NotUnconfirmed``, NotYours, SecondOfficerNeeded for whoever
    invited: alone they would make of themself two.
    """
    keys = office.keys
    manifests.hold(session, Name.PEOPLE)
    person = joining.present(session, office, by)
    if not may_confirm(session, office, person):
        raise NotYours
    newcomer = officers.by_id(session, keys, officer_id)
    waits = admissions.is_unconfirmed(session, keys, newcomer.id)
    if not newcomer.active or not waits:
        raise admissions.NotUnconfirmed
    if admissions.is_invited_by(session, keys, newcomer, person):
        raise SecondOfficerNeeded
    admissions.confirm(session, keys, newcomer.id)
    detail = newcomer.id.hex()
    log.record(session, keys, "officer.confirmed", officer=by, detail=detail, now=now)
    manifests.witness(session, keys, now=now)


def may_confirm(session: Session, office: Office, by: Officer) -> bool:
    """Tell whether an officer confirms accounts: admins, and supervisors with a seat."""
    if not by.active or admissions.is_unconfirmed(session, office.keys, by.id):
        return False
    if by.role == Role.ADMIN:
        return True
    homes = units.units_of(session, office.keys, by)
    seated = any(unit.kind == UnitKind.HANDLING for unit in homes)
    return by.role == Role.SUPERVISOR and seated
