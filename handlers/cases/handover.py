"""A case goes to another unit: with a new key, and without the former unit's.

One transaction in a session of the former unit, whose member opens the old key. What
waited there ends, declared conflicts come along, the reporter hears nothing of it. The
former unit keeps the number and whither it went (``history.handed_over``), nothing else.
"""

from functools import partial

from handlers import authority
from handlers.cases import conflicts, record
from handlers.errors import NoTarget, NotGranted, NotYours, TargetChanged
from handlers.notices import officers as notices
from handlers.work import Work
from storage.cases import cases, data_requests, history, items, reveals
from storage.cases import conflicts as declarations
from storage.crypto import fingerprints
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Officer, Unit
from storage.rekeying import case_keys
from storage.units import above, memberships, rotation, units
from storage.words import Audience, EventCode, ItemKind, UnitKind


def targets(work: Work, case: Case) -> list[Unit]:
    """Return the units that a case may go to, by name; one that was changed by hand is none."""
    found = []
    for row in units.everything(work.store):
        try:
            unit = units.verified(work.store, work.keys, row.id)
            if _takes(work, case, unit):
                found.append(unit)
        except NotAuthentic:
            continue
    return found


def target(work: Work, case: Case, into: bytes) -> Unit:
    """Return the unit with this id. Raises NoTarget; NotAuthentic for a planted key."""
    try:
        unit = units.verified(work.store, work.keys, into)
    except units.NoSuchUnit:
        raise NoTarget from None
    if not _takes(work, case, unit):
        raise NoTarget
    return unit


def hand_over(
    work: Work,
    report: bytes,
    *,
    by: Officer,
    secret: bytes,
    into: bytes,
    words: str,
    text: str,
) -> None:
    """Give a case to the unit ``into``, and seal the reason, ``text``, to it.

    ``secret`` is the officer's own; ``words`` are the fingerprint of the unit's key that
    they were shown. Raises NotFound, Purged, NotYours, NoTarget, TargetChanged, NotGranted,
    and NotAuthentic where unit, case or history were changed by hand.
    """
    case, keys = record.lock(work, report), work.keys
    record.refuse_purged(case)
    if not authority.may_hand_over(work, case, by):
        raise NotYours
    if history.first_broken(work.store, keys, case) is not None:
        raise NotAuthentic
    unit = _held(work, target(work, case, into), words)
    opened = _opened(work, case, by, secret)
    told = history.hand_over(case.unit, unit.id)
    _end_what_waits(work, case, by)
    _change_series(work, case, unit)
    seal = partial(case_keys.hand_over, work.store, keys, case, opened, unit)
    conflicts.renew(work, case, seal, by=by)
    reason = items.add_item(
        work.store,
        keys,
        report,
        record.content(ItemKind.NOTE, text, by, work.now),
        audience=Audience.CASE,
        public=case.public_key,
        day=work.day,
    )
    record.append(work, case, EventCode.HANDED_OVER, by, told, item_hash=reason)
    cases.save(work.store, keys, case)
    notices.alert(work, case, text="ALERT.NEW")
    record.witness(work, case, "handed_over", by)


def _takes(work: Work, case: Case, unit: Unit) -> bool:
    """Tell whether a verified unit may get a case: never the vault, nor one without a key."""
    if unit.kind != UnitKind.HANDLING or unit.public_key is None:
        return False
    if unit.id == case.unit:
        return False
    barred = declarations.who_declared(work.store, case.report)
    members = memberships.members(work.store, work.keys, unit)
    return any(one.id not in barred for one in members)


def _held(work: Work, unit: Unit, words: str) -> Unit:
    """Let the unit's key stay the present one until the commit; it must have these words."""
    unit = rotation.held(work.store, work.keys, unit.id)
    if fingerprints.words(unit.public_key or b"") != words:
        raise TargetChanged
    return unit


def _opened(work: Work, case: Case, by: Officer, secret: bytes) -> bytes:
    unit = units.verified(work.store, work.keys, case.unit)
    try:
        return case_keys.secret_of(work.store, work.keys, case, unit, by, secret)
    except case_keys.NotGranted:
        raise NotGranted from None


def _end_what_waits(work: Work, case: Case, by: Officer) -> None:
    """End what the former unit had under way: owner, proposals, requests to open."""
    case.officer = None
    case.wanted_status = case.wanted_reason = case.wanted_by = None
    for row in reveals.of_report(work.store, work.keys, case.report):
        ended = f"{row.what}:HANDED_OVER:{reveals.short(row)}"
        record.append(work, case, EventCode.REVEAL_ENDED, by, ended)
    reveals.end_for_report(work.store, case.report)
    for asked in data_requests.open_of(work.store, work.keys, case.report):
        if asked.officer is not None:
            asked.officer = None
            data_requests.save(work.store, work.keys, asked)


def _change_series(work: Work, case: Case, unit: Unit) -> None:
    """Drop the register number of a case that comes to the unit above us, or from it.

    The next act gives one of the new series (``record.event``). Hand-overs between other
    units keep the number: all of them count in one series.
    """
    hidden = above.id_of(work.store, work.keys)
    if hidden in {case.unit, unit.id}:
        cases.unregister(work.store, case)
