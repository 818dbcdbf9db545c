"""Reports as they are kept: drafts, grants and sealed items.

Every answer is sealed to the report's own public key as it arrives; from the commit on
the server cannot read it. A case's report id is its draft's.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.cases import tags
from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import REAL, Case, Draft, File, Grant, Item, Unit
from storage.words import Recipient

MAX_ENTRY_UNITS = 8


def start(
    session: Session, keys: ServerKeys, entry: Sequence[Unit], *, day: date
) -> Draft:
    """Begin a draft: a random id, a fresh pair, its secret sealed to each entry unit.

    ``entry`` must be verified units (at most 8). Each grant is wrapped once more under the
    server key until submit chooses one.
    """
    if not 0 < len(entry) <= MAX_ENTRY_UNITS:
        raise ValueError("a draft needs 1 to 8 entry units")
    report = secrets.token_bytes(16)
    pair = sealing.new_pair()
    draft = Draft(
        report=report,
        day=day,
        public_key=pair.public,
        tag=keys.tag(Context("drafts", report, "public_key"), pair.public),
    )
    session.add(draft)
    for unit in entry:
        grant(session, keys, report, unit, pair.secret, wrapped=True)
    session.flush()
    return draft


def grant(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    unit: Unit,
    secret: bytes,
    *,
    wrapped: bool = False,
) -> None:
    """Seal a report's secret to a verified unit."""
    if unit.public_key is None:
        raise ValueError("a unit without a key cannot be granted anything")
    row = grant_to(
        session,
        keys,
        report,
        (Recipient.UNIT, unit.id, unit.public_key),
        unit.generation,
        secret,
    )
    if wrapped:
        row.wrapped = True
        context = _grant_context(row.id, report, unit.generation)
        row.secret = keys.lock(Purpose.DRAFT_GRANT, row.secret, context)


def grant_to(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    holder: tuple[Recipient, bytes, bytes],
    generation: int,
    secret: bytes,
) -> Grant:
    """Seal a report's secret to one holder: (kind, id, public key that was checked)."""
    kind, recipient, public = holder
    row_id = secrets.token_bytes(16)
    context = _grant_context(row_id, report, generation)
    blob = sealing.seal(secret, public, context)
    row = Grant(
        id=row_id,
        report=report,
        recipient_kind=kind.value,
        recipient=recipient,
        generation=generation,
        wrapped=False,
        secret=blob,
        tag=keys.tag(context, sealing.encode(recipient, blob)),
    )
    session.add(row)
    return row


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
    rows = session.exec(select(Grant).where(Grant.report == report)).all()
    found = False
    for row in rows:
        if row.recipient != unit:
            session.delete(row)
            continue
        context = _grant_context(row.id, report, row.generation)
        row.secret = keys.unlock(Purpose.DRAFT_GRANT, row.secret, context)
        row.wrapped = False
        check_grant(keys, row)
        session.add(row)
        found = True
    if not found:
        raise NotAuthentic
    session.flush()


def is_draft(session: Session, report: bytes) -> bool:
    """Tell whether a report is a draft still; it stays one until the commit."""
    query = select(Draft.report).where(Draft.report == report).with_for_update()
    return session.exec(query).first() is not None


def drafts_of(session: Session, *, before: date) -> Sequence[bytes]:
    """Return the report ids of drafts that were begun before a day."""
    return session.exec(select(Draft.report).where(col(Draft.day) < before)).all()


def draft_key(session: Session, keys: ServerKeys, report: bytes) -> bytes | None:
    """Return the verified key of a draft; None if it is a draft no more.

    Raises NotAuthentic for a planted key.
    """
    draft = session.get(Draft, report, populate_existing=True)
    if draft is None:
        return None
    check_draft(keys, draft)
    return draft.public_key


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
    context = Context("drafts", draft.report, "public_key")
    keys.check_tag(draft.tag, context, draft.public_key)


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
    session.flush()
    taken = session.connection().execute(
        delete(Draft).where(col(Draft.report) == report).returning(col(Draft.report))
    )
    return taken.first() is not None


def _grant_context(grant_id: bytes, report: bytes, generation: int) -> Context:
    return Context("grants", grant_id, "secret", report, 0, generation)
