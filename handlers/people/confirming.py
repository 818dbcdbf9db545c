"""Who is confirmed: invited admins and auditors, after somebody compared their words.

They have no unit whose members could admit them, so another admin, or a supervisor who
sits in a unit, does it: never whoever invited them, and nobody who waits themself.
"""

from handlers import authority
from handlers.errors import NotYours, SecondOfficerNeeded
from handlers.work import Work
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.people import officers
from storage.units import admissions


def confirm(work: Work, officer_id: bytes, *, by: bytes) -> None:
    """Let an account that waits be one.

    Raises ``admissions.NotUnconfirmed``, NotYours, SecondOfficerNeeded for whoever
    invited: alone they would make of themself two.
    """
    keys = work.keys
    manifests.hold(work.store, Name.PEOPLE)
    person = authority.present(work, by)
    if not authority.may_confirm(work, person):
        raise NotYours
    newcomer = officers.by_id(work.store, keys, officer_id)
    waits = admissions.is_unconfirmed(work.store, keys, newcomer.id)
    if not newcomer.active or not waits:
        raise admissions.NotUnconfirmed
    if admissions.is_invited_by(work.store, keys, newcomer, person):
        raise SecondOfficerNeeded
    admissions.confirm(work.store, keys, newcomer.id)
    detail = newcomer.id.hex()
    log.record(
        work.store, keys, "officer.confirmed", officer=by, detail=detail, now=work.now
    )
    manifests.witness(work.store, keys, now=work.now)
