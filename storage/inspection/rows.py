"""Whether every row of every table is ours, and whether what must be there is there.

A tag shows a row that was changed or added by hand; it cannot show one that is gone or
that was put back. For that the histories, the lists and the audit log speak. What none of
them knows is said in ``UNSEEN``: rows that end by themselves within days.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import product, starmap
from typing import Any

from sqlmodel import Session, SQLModel, select

from storage import models, quarantine
from storage.audit import installation, manifests
from storage.audit.manifests import Name
from storage.cases import data_requests, history, items, reports, reveals
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.evidence import files
from storage.inspection import chains, missing
from storage.models import Case, File, Grant, Unit, UnitGrant
from storage.people import officers, one_time_codes, recovery_codes
from storage.retention import tombstones
from storage.units import admissions, memberships, recovery_keys, routes, units
from storage.units import grants as unit_grants
from storage.words import Erased, EventCode, FileState, Recipient

Check = Callable[[ServerKeys, Any], None]

CHECKS: Mapping[type[SQLModel], Check] = {
    models.Application: admissions.check,
    models.DataRequest: data_requests.check,
    models.Draft: reports.check_draft,
    models.File: files.check,
    models.Grant: reports.check_grant,
    models.Item: items.check,
    models.Membership: memberships.check,
    models.Officer: officers.check,
    models.Quarantine: quarantine.check,
    models.RecoveryCode: recovery_codes.check,
    models.RecoveryKey: recovery_keys.check,
    models.Reveal: reveals.check,
    models.Route: routes.check,
    models.SecondFactor: one_time_codes.check,
    models.Setting: installation.check,
    models.Tombstone: tombstones.check,
    models.Unit: units.check,
    models.UnitGrant: unit_grants.check,
}
"""How a row shows that it is ours. Cases, events, declarations and the log: ``proving``."""

UNSEEN: Mapping[str, str] = {
    "breaches": "told by the log of acts; the row itself is a reminder",
    "conversations": "ends within 48 hours; what was changed does not open",
    "counters": "figures that lead to nobody, without a tag",
    "departed": "ends within 48 hours; what was changed does not open",
    "inbox": "keyed names for 7 days, without a tag",
    "invitations": "ends within 7 days; what was changed admits nobody",
    "jobs": "ends when done; what was changed does not open",
    "leases": "who leads, renewed every minute, without a tag",
    "link_tokens": "ends within 15 minutes; what was changed links nobody",
    "officer_links": "what was changed does not open; one that is gone gets no alert",
    "outbox": "ends within 48 hours; what was changed does not open",
    "passkeys": "what was changed does not open; the list of factors names each",
    "registers": "the last register number, which every case keeps too",
    "sessions": "ends within 10 hours; what was changed signs nobody in",
    "subscriptions": "what was changed does not open; one that is gone gets no notice",
    "watches": "how a machine's own tests went, without a tag",
}
"""Tables of which only the reader says that a row was changed, each with why."""


_WITHOUT_FILES = {
    (EventCode.PURGED, Erased.FILES),
    (EventCode.ERASED, Erased.CONTENTS),
}
"""Lines of a history after which no file is left: their rule, or two officers."""


def problems(
    session: Session,
    keys: ServerKeys,
    *,
    since: date | None = None,
    seen: Callable[[], None] = chains.nothing,
) -> Iterator[str]:
    """Say everything that is wrong, one line a fault; nothing where all is whole.

    ``since`` is the first day whose tombstones are still kept; None looks for none. Each
    case is looked at twice; ``seen`` is called each time.
    """
    yield from chains.problems(session, keys, seen=seen)
    for model, check in CHECKS.items():
        strange = sum(not _is_ours(keys, check, row) for row in _rows(session, model))
        if strange:
            yield f"{model.__tablename__}: rows changed or added by hand: {strange}"
    yield from _lists(session, keys)
    yield from missing.factors_gone(session, keys)
    yield from _units(session, keys)
    for case in chains.every_case(session):
        yield from _case(session, keys, case)
        yield from missing.of_case(session, case, since=since)
        seen()


def _rows(session: Session, model: type[SQLModel]) -> Iterator[SQLModel]:
    return iter(session.exec(select(model).execution_options(yield_per=200)))


def _is_ours(keys: ServerKeys, check: Check, row: SQLModel) -> bool:
    try:
        check(keys, row)
    except NotAuthentic:
        return False
    return True


def _lists(session: Session, keys: ServerKeys) -> Iterator[str]:
    """Look whether every row that a list names is there."""
    try:
        routes.verified_routes(session, keys)
    except (NotAuthentic, units.NoSuchUnit):
        yield "routes: rows gone, put back or changed by hand"
    try:
        named = manifests.present(session, keys, Name.PEOPLE).rows
    except NotAuthentic:
        return  # told by the tag of the setting
    if named - {manifests.name_of(one) for one in _people(session)}:
        yield "officers, units, memberships: rows gone or put back by hand"


def _people(session: Session) -> Iterator[bytes]:
    """Yield what the list of people may name, of the rows that are there."""
    every = session.exec
    yield from map(officers._row, every(select(models.Officer)))  # noqa: SLF001 - as the list names it
    yield from map(units._row, every(select(Unit)))  # noqa: SLF001 - as the list names it
    yield from map(officers.membership, every(select(models.Membership)))
    yield from map(admissions._row, every(select(models.Application)))  # noqa: SLF001 - as the list names it
    people = every(select(models.Officer.id)).all()
    yield from map(admissions.unconfirmed, people)
    yield from starmap(admissions.invited, product(people, people))
    yield from map(recovery_keys._entry, every(select(models.RecoveryKey)))  # noqa: SLF001 - as the list names it
    yield from map(recovery_keys._listed, recovery_keys.PURPOSE.values())  # noqa: SLF001 - as the list names it


def _units(session: Session, keys: ServerKeys) -> Iterator[str]:
    """Look whether every member, and the recovery key, still opens the unit's key."""
    for unit in session.exec(select(Unit)):
        offline = select(UnitGrant.id).where(
            UnitGrant.unit == unit.id,
            UnitGrant.generation == unit.generation,
            UnitGrant.recipient_kind == Recipient.RECOVERY.value,
        )
        if unit.public_key is not None and session.exec(offline).first() is None:
            yield f"unit {unit.name}: the recovery key does not open it"
        try:
            members = memberships.members(session, keys, unit)
        except NotAuthentic:
            continue  # told by its tag or its list
        for member in members:
            held = unit_grants.held_by(session, unit, member)
            if unit.generation not in {grant.generation for grant in held}:
                yield f"unit {unit.name}: {member.login} has no key to it"


def _case(session: Session, keys: ServerKeys, case: Case) -> Iterator[str]:
    """Look for a key that is gone or came back, and for files that are gone."""
    grants = session.exec(select(Grant).where(Grant.report == case.report)).all()
    good = [row for row in grants if _is_ours(keys, reports.check_grant, row)]
    if not good and items.count_items(session, case.report):
        yield f"case {case.number}: no key leads to it"
    kinds = {row.recipient_kind for row in good}
    if {Recipient.OFFICER, Recipient.UNIT} <= kinds:
        yield f"case {case.number}: a key that was taken away came back"
    offline = {
        row.recipient for row in good if row.recipient_kind == Recipient.RECOVERY
    }
    if kinds and Recipient.UNIT not in kinds and not offline & _offline(session):
        yield f"case {case.number}: the recovery key does not open it"
    taken = select(File.id).where(
        File.report == case.report, File.state == FileState.TAKEN.value
    )
    lost = _files_told(session, case) - len(session.exec(taken).all())
    if lost > 0:
        yield f"case {case.number}: files gone: {lost}"


def _offline(session: Session) -> set[bytes]:
    return set(session.exec(select(models.RecoveryKey.id)))


def _files_told(session: Session, case: Case) -> int:
    """Return how many files the history took since all of them were last erased."""
    told = 0
    for event in history.of_case(session, case.report):
        if (event.code, event.detail) in _WITHOUT_FILES:
            told = 0
        told += event.code == EventCode.FILE_TAKEN
    return told
