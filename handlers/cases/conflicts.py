"""Conflicts of interest: an officer steps back from a case, and the case gets a new key.

Declaring takes effect at once and needs no key. The new key is made in the session of
another member, because only a key holder can seal the case anew. It protects what would
be opened later, not what was read.
"""

from collections.abc import Callable, Mapping
from functools import partial

from handlers import authority
from handlers.cases import record
from handlers.errors import NotGranted, NotYours, RevealOver
from handlers.work import Work
from storage.cases import cases, conflicts, history, reveals
from storage.cases.history import Actor
from storage.models import Case, Officer
from storage.rekeying import case_keys
from storage.units import units
from storage.words import ActorClass, EventCode


def declare(work: Work, report: bytes, *, by: Officer) -> bool:
    """Bar an officer from a case for good; False if they were barred already.

    The case is released, what they proposed lapses, what they asked to be revealed ends.
    """
    case = record.lock(work, report)
    if conflicts.is_barred(work.store, report, by.id):
        return False
    conflicts.declare(work.store, work.keys, report, by.id, now=work.now)
    if case.officer == by.id:
        case.officer = None
    if case.wanted_by == by.id:
        case.wanted_status = case.wanted_reason = case.wanted_by = None
    for row in reveals.of_report(work.store, work.keys, report):
        if row.officer == by.id:
            reveals.end(work.store, row)
            ended = f"{row.what}:CONFLICT:{reveals.short(row)}"
            record.event(work, case, EventCode.REVEAL_ENDED, by, ended)
    record.event(work, case, EventCode.CONFLICT, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "conflict", by)
    return True


def declare_in_vault(work: Work, reveal_id: bytes, *, by: Officer) -> bool:
    """Bar a custodian from all requests about a case; the other custodians go on.

    Raises RevealOver, TwoPeopleNeeded, and NotYours for whoever is barred already.
    """
    row = reveals.get(work.store, work.keys, reveal_id)
    if row is None:
        raise RevealOver
    authority.require_custodian(work, by, row)
    return declare(work, row.report, by=by)


def settle(work: Work, report: bytes, secret: bytes, *, by: Officer) -> bool:
    """Do in a member's session what is due on a case; False where nothing is.

    ``secret`` is the member's own. A case whose key somebody knows who must not gets a
    new pair; members who came later get the pair that is. Nobody gets a key while the
    history is broken: a line that was taken out may be the one that bars somebody.
    Raises NotYours, NotGranted, NotAuthentic.
    """
    case, keys = record.lock(work, report), work.keys
    if by.id not in {one.id for one in case_keys.holders(work.store, keys, case)}:
        raise NotYours
    if not case_keys.is_due(work.store, keys, case):
        return False
    if history.first_broken(work.store, keys, case) is not None:
        return False
    unit = units.verified(work.store, keys, case.unit)
    try:
        opened = case_keys.secret_of(work.store, keys, case, unit, by, secret)
    except case_keys.NotGranted:
        raise NotGranted from None
    if case_keys.needs_pair(work.store, keys, case):
        seal = partial(case_keys.renew, work.store, keys, case, opened)
        renew(work, case, seal, by=by)
        cases.save(work.store, keys, case)
        record.witness(work, case, "resealed", by)
    else:
        newcomers = case_keys.without_key(work.store, keys, case)
        case_keys.share(work.store, keys, case, newcomers, opened)
        record.witness(work, case, "shared", by)
    return True


def renew(
    work: Work, case: Case, seal: Callable[[], Mapping[bytes, bytes]], *, by: Officer
) -> None:
    """Give a case the new pair that ``seal`` makes: items are named anew, conflicts settled.

    ``seal`` returns the hash of each item's new seal by its old one. The caller saves.
    """
    there, missing = history.vouched(work.store, case)
    renamed = seal()
    hashes = [renamed.get(one, one) for one in there] + missing
    actor, day = Actor(ActorClass.OFFICER, by.id, work.now), work.day
    history.name_anew(work.store, work.keys, case, hashes, by=actor, day=day)
    conflicts.settle(work.store, work.keys, case.report)
