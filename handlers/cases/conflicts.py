"""Conflicts of interest: an officer steps back from a case, and the case gets a new key.

Declaring takes effect at once and needs no key. The new key is made in the session of
another member, because only a key holder can seal the case anew (SECRETS 3.7). It
protects what would be opened later, not what was read.
"""

from datetime import datetime

from sqlmodel import Session

from handlers.cases import record
from handlers.errors import NotGranted, NotYours, RevealOver
from handlers.office import Office
from handlers.reveals import standing
from storage.cases import cases, conflicts, history, reveals
from storage.cases.history import Actor
from storage.models import Case, Officer
from storage.rekeying import case_keys
from storage.units import units
from storage.words import ActorClass, EventCode


def declare(
    session: Session, office: Office, report: bytes, *, by: Officer, now: datetime
) -> bool:
    """Bar an officer from a case for good; False if they were barred already.

    The case is released, what they proposed lapses, what they asked to be revealed ends.
    """
    case = record.lock(session, office, report)
    if conflicts.is_barred(session, report, by.id):
        return False
    conflicts.declare(session, office.keys, report, by.id, now=now)
    if case.officer == by.id:
        case.officer = None
    if case.wanted_by == by.id:
        case.wanted_status = case.wanted_reason = case.wanted_by = None
    for row in reveals.of_report(session, office.keys, report):
        if row.officer == by.id:
            reveals.end(session, row)
            ended = f"{row.what}:CONFLICT:{reveals.short(row)}"
            record.event(session, office, case, EventCode.REVEAL_ENDED, by, now, ended)
    record.event(session, office, case, EventCode.CONFLICT, by, now)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "conflict", by, now)
    return True


def declare_in_vault(
    session: Session, office: Office, reveal_id: bytes, *, by: Officer, now: datetime
) -> bool:
    """Bar a custodian from all requests about a case; the other custodians go on.

    Raises RevealOver, TwoPeopleNeeded, and NotYours for whoever is barred already.
    """
    row = reveals.get(session, office.keys, reveal_id)
    if row is None:
        raise RevealOver
    standing.require_custodian(session, office, by, row)
    return declare(session, office, row.report, by=by, now=now)


def settle(
    session: Session,
    office: Office,
    report: bytes,
    secret: bytes,
    *,
    by: Officer,
    now: datetime,
) -> bool:
    """Do in a member's session what is due on a case; False where nothing is.

    ``secret`` is the member's own. A case whose key somebody knows who must not gets a
    new pair; members who came later get the pair that is. Nobody gets a key while the
    history is broken: a line that was taken out may be the one that bars somebody.
    Raises NotYours, NotGranted, NotAuthentic.
    """
    case, keys = record.lock(session, office, report), office.keys
    if by.id not in {one.id for one in case_keys.holders(session, keys, case)}:
        raise NotYours
    if not case_keys.is_due(session, keys, case):
        return False
    if history.first_broken(session, keys, case) is not None:
        return False
    unit = units.verified(session, keys, case.unit)
    try:
        opened = case_keys.secret_of(session, keys, case, unit, by, secret)
    except case_keys.NotGranted:
        raise NotGranted from None
    if case_keys.needs_pair(session, keys, case):
        _renew(session, office, case, opened, by, now)
        cases.save(session, keys, case)
        record.witness(session, office, case, "resealed", by, now)
    else:
        newcomers = case_keys.without_key(session, keys, case)
        case_keys.share(session, keys, case, newcomers, opened)
        record.witness(session, office, case, "shared", by, now)
    return True


def _renew(
    session: Session,
    office: Office,
    case: Case,
    opened: bytes,
    by: Officer,
    now: datetime,
) -> None:
    there, missing = history.vouched(session, case)
    renamed = case_keys.renew(session, office.keys, case, opened)
    hashes = [renamed.get(one, one) for one in there] + missing
    actor, day = Actor(ActorClass.OFFICER, by.id, now), office.day(now)
    history.name_anew(session, office.keys, case, hashes, by=actor, day=day)
    conflicts.settle(session, office.keys, case.report)
