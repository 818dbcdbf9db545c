"""Reports as they are kept: drafts, grants and sealed items.

Every answer is sealed to the report's own public key as it arrives; from the commit on
the server cannot read it. A case's report id is its draft's.

Long because the grants of a draft and of a case are one and the same.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.cases import tags
from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.models import REAL, Case, Draft, File, Grant, Item, Unit
from storage.words import Recipient

MAX_ENTRY_UNITS = 8
_BEGIN = Statement.insert("drafts", ("report", "day", "public_key", "tag"))
_IS_DRAFT = Statement(
    "SELECT 1 FROM drafts WHERE report = :report {lock}", lock="FOR UPDATE"
)
_KEY = Statement("SELECT public_key, tag FROM drafts WHERE report = :report")
_TAKE = Statement("DELETE FROM drafts WHERE report = :report")
_GRANT = Statement.insert("grants", Grant.model_fields)
_GRANTS = Statement(
    "SELECT id, generation, secret, tag FROM grants WHERE report = :report"
)
_DROP_OTHERS = Statement(
    "DELETE FROM grants WHERE report = :report AND recipient <> :unit"
)
_UNWRAP = Statement(
    "UPDATE grants SET secret = :secret, wrapped = false WHERE id = :id"
)


class Begun(NamedTuple):
    """A draft that was begun."""

    report: bytes
    public_key: bytes


def start(
    session: Session, keys: ServerKeys, entry: Sequence[Unit], *, day: date
) -> Begun:
    """Begin a draft: a random id, a fresh pair, its secret sealed to each entry unit.

    ``entry`` must be verified units (at most 8). Each grant is wrapped once more under the
    server key until submit chooses one.
    """
    if not 0 < len(entry) <= MAX_ENTRY_UNITS:
        raise ValueError("a draft needs 1 to 8 entry units")
    report = secrets.token_bytes(16)
    pair = sealing.new_pair()
    _BEGIN(
        session,
        report=report,
        day=day,
        public_key=pair.public,
        tag=keys.tag(_draft_context(report), pair.public),
    )
    grants = [
        _granted(keys, report, _of_unit(unit), unit.generation, pair.secret)
        for unit in entry
    ]
    for row in grants:
        context = _grant_context(row["id"], report, row["generation"])
        row["wrapped"] = True
        row["secret"] = keys.lock(Purpose.DRAFT_GRANT, row["secret"], context)
    _GRANT.many(session, grants)
    return Begun(report, pair.public)


def grant(
    session: Session, keys: ServerKeys, report: bytes, unit: Unit, secret: bytes
) -> None:
    """Seal a report's secret to a verified unit."""
    grant_to(session, keys, report, _of_unit(unit), unit.generation, secret)


def grant_to(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    holder: tuple[Recipient, bytes, bytes],
    generation: int,
    secret: bytes,
) -> Grant:
    """Seal a report's secret to one holder: (kind, id, public key that was checked)."""
    row = Grant(**_granted(keys, report, holder, generation, secret))
    session.add(row)
    return row


def _of_unit(unit: Unit) -> tuple[Recipient, bytes, bytes]:
    if unit.public_key is None:
        raise ValueError("a unit without a key cannot be granted anything")
    return Recipient.UNIT, unit.id, unit.public_key


def _granted(
    keys: ServerKeys,
    report: bytes,
    holder: tuple[Recipient, bytes, bytes],
    generation: int,
    secret: bytes,
) -> dict[str, Any]:
    """Return the columns of a grant."""
    kind, recipient, public = holder
    row_id = secrets.token_bytes(16)
    context = _grant_context(row_id, report, generation)
    blob = sealing.seal(secret, public, context)
    return {
        "id": row_id,
        "report": report,
        "recipient_kind": kind.value,
        "recipient": recipient,
        "generation": generation,
        "wrapped": False,
        "secret": blob,
        "tag": keys.tag(context, sealing.encode(recipient, blob)),
    }


def take_away(session: Session, keys: ServerKeys, unit: bytes, officer: bytes) -> None:
    """Empty the grants that one officer holds of a unit's cases with keys of their own.

    The rows stay: they say that somebody knows a secret who must not any more.
    """
    of_unit = select(Case.report).where(REAL, Case.unit == unit)
    query = select(Grant).where(
        Grant.recipient == officer,
        Grant.recipient_kind == Recipient.OFFICER.value,
        col(Grant.report).in_(of_unit),
    )
    for row in session.exec(query):
        row.secret = b""
        context = _grant_context(row.id, row.report, row.generation)
        row.tag = keys.tag(context, sealing.encode(row.recipient, row.secret))
        session.add(row)
    session.flush()


def release(session: Session, keys: ServerKeys, report: bytes, unit: bytes) -> None:
    """On submit: unwrap the routed unit's grant, delete the others and the draft row.

    The draft row is taken first; NotAuthentic where there is none, or no grant fits.
    """
    if not _take_draft(session, report):
        raise NotAuthentic
    _DROP_OTHERS(session, report=report, unit=unit)
    rows = _GRANTS(session, report=report).all()
    for grant_id, generation, wrapped, tag in rows:
        context = _grant_context(grant_id, report, generation)
        secret = keys.unlock(Purpose.DRAFT_GRANT, wrapped, context)
        keys.check_tag(tag, context, sealing.encode(unit, secret))
        _UNWRAP(session, id=grant_id, secret=secret)
    if not rows:
        raise NotAuthentic


def is_draft(session: Session, report: bytes) -> bool:
    """Tell whether a report is a draft still; it stays one until the commit."""
    return _IS_DRAFT(session, report=report).first() is not None


def drafts_of(session: Session, *, before: date) -> Sequence[bytes]:
    """Return the report ids of drafts that were begun before a day."""
    return session.exec(select(Draft.report).where(col(Draft.day) < before)).all()


def draft_key(session: Session, keys: ServerKeys, report: bytes) -> bytes | None:
    """Return the verified key of a draft; None if it is a draft no more.

    Raises NotAuthentic for a planted key.
    """
    draft = _KEY(session, report=report).first()
    if draft is None:
        return None
    public, tag = draft
    keys.check_tag(tag, _draft_context(report), public)
    return bytes(public)


def hold(session: Session, report: bytes) -> None:
    """Let nobody else hold this report until the commit, be it a draft or a case."""
    for model in (Draft, Case):
        session.get(model, report, populate_existing=True, with_for_update=True)


def public_key(session: Session, keys: ServerKeys, report: bytes) -> bytes | None:
    """Return the verified key that a draft's or a case's items are sealed to.

    None if the report is gone; raises NotAuthentic for a planted key.
    """
    draft = draft_key(session, keys, report)
    if draft is not None:
        return draft
    case = session.get(Case, report)
    if case is None:
        return None
    tags.check_case(keys, case)
    return case.public_key


def secret_for(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    unit: Unit,
    unit_secret: Callable[[int], bytes],
) -> bytes:
    """Open a report's secret with its unit's; NotAuthentic if nothing fits.

    ``unit_secret`` gives the unit's secret of a generation. A planted grant beside the
    real one hides nothing.
    """
    for row in grants_of(session, report, unit):
        try:
            return opened(keys, row, unit_secret(row.generation))
        except NotAuthentic:
            continue
    raise NotAuthentic


def grants_of(session: Session, report: bytes, unit: Unit) -> Sequence[Grant]:
    """Return a case's grants for a unit, unchecked, the newest generation first."""
    return session.exec(
        select(Grant)
        .where(
            Grant.report == report,
            Grant.recipient == unit.id,
            col(Grant.wrapped).is_(False),
        )
        .order_by(col(Grant.generation).desc())
    ).all()


def opened(keys: ServerKeys, row: Grant, unit_secret: bytes) -> bytes:
    """Open one grant with the unit's secret of its generation. Raises NotAuthentic."""
    context = _grant_context(row.id, row.report, row.generation)
    keys.check_tag(row.tag, context, sealing.encode(row.recipient, row.secret))
    return sealing.open_seal(row.secret, unit_secret, context)


def reseal(
    session: Session, keys: ServerKeys, row: Grant, unit: Unit, unit_secret: bytes
) -> None:
    """Seal a grant to its unit's present key; ``unit_secret`` is that of its old generation.

    The row stays and the old seal is overwritten, so that whoever deletes the report
    meanwhile deletes it too. Raises NotAuthentic.
    """
    if unit.public_key is None or row.recipient != unit.id:
        raise NotAuthentic
    secret = opened(keys, row, unit_secret)
    context = _grant_context(row.id, row.report, unit.generation)
    row.secret = sealing.seal(secret, unit.public_key, context)
    row.generation = unit.generation
    row.tag = keys.tag(context, sealing.encode(row.recipient, row.secret))
    session.add(row)


def discard(session: Session, report: bytes) -> bool:
    """Delete a draft with everything in it; a sweep removes its files from disk.

    False, and nothing is deleted, where the report is a case or gone.
    """
    if not _take_draft(session, report):
        return False
    connection = session.connection()
    connection.execute(delete(Item).where(col(Item.report) == report))
    connection.execute(delete(Grant).where(col(Grant.report) == report))
    connection.execute(delete(File).where(col(File.report) == report))
    return True


def check_draft(keys: ServerKeys, draft: Draft) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(draft.tag, _draft_context(draft.report), draft.public_key)


def check_grant(keys: ServerKeys, row: Grant) -> None:
    """Raise NotAuthentic unless this grant was written by us; a draft's is unwrapped first."""
    context = _grant_context(row.id, row.report, row.generation)
    secret = row.secret
    if row.wrapped:
        secret = keys.unlock(Purpose.DRAFT_GRANT, secret, context)
    keys.check_tag(row.tag, context, sealing.encode(row.recipient, secret))


def rewrap(keys: ServerKeys, row: Grant) -> None:
    """Wrap a draft's grant under the newest server key. Raises NotAuthentic."""
    if row.wrapped:
        context = _grant_context(row.id, row.report, row.generation)
        row.secret = keys.relock(Purpose.DRAFT_GRANT, row.secret, context)


def _take_draft(session: Session, report: bytes) -> bool:
    """Delete the draft row: of a submit and a purge at once, only one goes on."""
    return _TAKE(session, report=report).rowcount == 1


def _draft_context(report: bytes) -> Context:
    return Context("drafts", report, "public_key")


def _grant_context(grant_id: bytes, report: bytes, generation: int) -> Context:
    return Context("grants", grant_id, "secret", report, 0, generation)
