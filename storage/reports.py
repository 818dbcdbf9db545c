"""Reports as they are kept: drafts, grants and sealed items.

Every answer is sealed to the report's own public key as it arrives; from the commit on
the server cannot read it (SECRETS 3). A case's report id is its draft's.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from storage import sealing
from storage.keys import Purpose, ServerKeys
from storage.models import Case, Draft, File, Grant, Item, Unit
from storage.sealing import Context, NotAuthentic
from storage.words import Audience, ItemKind, Recipient

MAX_ENTRY_UNITS = 8
_BY_OFFICER = frozenset({ItemKind.QUESTION, ItemKind.NOTE})


@dataclass(frozen=True, slots=True)
class Content:
    """What stands inside an item's seal. ``at`` is the exact time, ISO 8601 in UTC."""

    kind: ItemKind
    text: str = field(repr=False)
    at: str = ""
    step: str = ""
    version: int = 0
    name: str = field(default="", repr=False)
    content_type: str = ""
    file: str = ""
    officer: str = ""
    language: str = ""

    def to_bytes(self) -> bytes:
        """Return padded bytes; lone surrogates survive as escapes."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return sealing.pad(json.dumps(fields).encode("ascii"))

    @classmethod
    def from_bytes(cls, padded: bytes) -> "Content":
        """Read back what ``to_bytes`` wrote."""
        fields: dict[str, Any] = json.loads(sealing.unpad(padded))
        fields["kind"] = ItemKind(fields["kind"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Opened:
    """An item as a key holder reads it; ``content`` is None where it is not authentic."""

    seq: int
    day: date
    by_officer: bool
    unread: bool
    content: Content | None


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
    grant_id = secrets.token_bytes(16)
    context = _grant_context(grant_id, report, unit.generation)
    blob = sealing.seal(secret, unit.public_key, context)
    tag = keys.tag(context, sealing.encode(unit.id, blob))
    if wrapped:
        blob = keys.lock(Purpose.DRAFT_GRANT, blob, context)
    session.add(
        Grant(
            id=grant_id,
            report=report,
            recipient_kind=Recipient.UNIT.value,
            recipient=unit.id,
            generation=unit.generation,
            wrapped=wrapped,
            secret=blob,
            tag=tag,
        )
    )


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
        keys.check_tag(row.tag, context, sealing.encode(row.recipient, row.secret))
        row.wrapped = False
        session.add(row)
        found = True
    if not found:
        raise NotAuthentic
    session.flush()


def is_draft(session: Session, report: bytes) -> bool:
    """Tell whether a report is a draft still; it stays one until the commit."""
    query = select(Draft.report).where(Draft.report == report).with_for_update()
    return session.exec(query).first() is not None


def draft_key(session: Session, keys: ServerKeys, report: bytes) -> bytes | None:
    """Return the verified key of a draft; None if it is a draft no more.

    Raises NotAuthentic for a planted key.
    """
    draft = session.get(Draft, report, populate_existing=True)
    if draft is None:
        return None
    context = Context("drafts", report, "public_key")
    keys.check_tag(draft.tag, context, draft.public_key)
    return draft.public_key


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
    check_case(keys, case)
    return case.public_key


def add_item(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    content: Content,
    *,
    audience: Audience,
    public: bytes,
    day: date,
    vault: bytes | None = None,
) -> bytes:
    """Seal one item and return the SHA-256 of its blob (what the history keeps).

    ``public`` is the key of the audience: the report's (CASE), the reporter's (REPORTER).
    An identity is sealed to the ``vault`` first and to the report's key around it.
    """
    last = session.exec(select(func.max(Item.seq)).where(Item.report == report)).one()
    seq = (last or 0) + 1
    item_id = secrets.token_bytes(16)
    context = _item_context(item_id, report, seq)
    if audience is Audience.IDENTITY:
        if vault is None:
            raise ValueError("an identity needs the vault's key")
        blob = sealing.seal_twice(content.to_bytes(), vault, public, context)
    else:
        blob = sealing.seal(content.to_bytes(), public, context)
    row = Item(
        id=item_id,
        report=report,
        seq=seq,
        day=day,
        audience=audience.value,
        by_officer=content.kind in _BY_OFFICER,
        unread=audience is Audience.REPORTER and content.kind is ItemKind.QUESTION,
        blob=blob,
        tag=b"",
    )
    row.tag = keys.tag(context, _item_content(row))
    session.add(row)
    session.flush()
    return hashlib.sha256(blob).digest()


def item_hashes(session: Session, report: bytes) -> list[bytes]:
    """Return the hashes of a report's items in order, for its history."""
    blobs = session.exec(
        select(Item.blob).where(Item.report == report).order_by(col(Item.seq))
    ).all()
    return [hashlib.sha256(blob).digest() for blob in blobs]


def count_items(session: Session, report: bytes) -> int:
    """Return how many items a report has."""
    return session.exec(select(func.count()).where(Item.report == report)).one()


def secret_for(
    session: Session, keys: ServerKeys, report: bytes, unit: Unit, unit_secret: bytes
) -> bytes:
    """Open a report's secret with its unit's secret; NotAuthentic if nothing fits.

    A planted grant beside the real one hides nothing.
    """
    rows = session.exec(
        select(Grant).where(
            Grant.report == report,
            Grant.recipient == unit.id,
            col(Grant.wrapped).is_(False),
        )
    ).all()
    for row in rows:
        context = _grant_context(row.id, report, row.generation)
        try:
            keys.check_tag(row.tag, context, sealing.encode(row.recipient, row.secret))
            return sealing.open_seal(row.secret, unit_secret, context)
        except NotAuthentic:
            continue
    raise NotAuthentic


def read(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    secret: bytes,
    *,
    audience: Audience = Audience.CASE,
    unread_only: bool = False,
) -> list[Opened]:
    """Open a report's items for whoever holds ``secret``, in order.

    An item whose tag or seal does not verify comes back without content: "not authentic".
    """
    query = select(Item).where(Item.report == report, Item.audience == audience.value)
    if unread_only:
        query = query.where(col(Item.unread).is_(True))
    rows = session.exec(query.order_by(col(Item.seq))).all()
    return [
        Opened(row.seq, row.day, row.by_officer, row.unread, _open(keys, row, secret))
        for row in rows
    ]


def mark_read(
    session: Session, keys: ServerKeys, report: bytes, seqs: Sequence[int]
) -> None:
    """Mark officers' messages as shown to the reporter."""
    rows = session.exec(
        select(Item).where(Item.report == report, col(Item.seq).in_(list(seqs)))
    ).all()
    for row in rows:
        row.unread = False
        row.tag = keys.tag(
            _item_context(row.id, row.report, row.seq), _item_content(row)
        )
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


def erase_identity(session: Session, report: bytes) -> int:
    """Delete a report's identity items; returns how many."""
    gone = session.connection().execute(
        delete(Item).where(
            col(Item.report) == report, col(Item.audience) == Audience.IDENTITY.value
        )
    )
    return gone.rowcount


def has_identity(session: Session, report: bytes) -> bool:
    """Tell whether an identity is kept for a report."""
    query = select(Item.id).where(
        Item.report == report, Item.audience == Audience.IDENTITY.value
    )
    return session.exec(query.limit(1)).first() is not None


def case_content(case: Case) -> bytes:
    """Return what a case's tag covers: every column but the report id, which is its place."""
    return sealing.encode(
        case.number.encode(),
        case.status.encode(),
        (case.before or "").encode(),
        (case.reason or "").encode(),
        str(case.urgency).encode(),
        case.unit,
        case.officer or b"",
        sealing.encode(
            (case.wanted_status or "").encode(),
            (case.wanted_reason or "").encode(),
            case.wanted_by or b"",
        ),
        case.public_key,
        case.reporter_key or b"",
        case.receipt_salt or b"",
        case.receipt_wrap or b"",
        case.head,
        str(case.head_seq).encode(),
        sealing.encode(
            case.day.isoformat().encode(),
            case.category.encode(),
            case.track.encode(),
            case.position.encode(),
            case.province.encode(),
            b"open" if case.is_open else b"ended",
            b"withdrawn" if case.reporter_withdrawn else b"",
            case.due.isoformat().encode(),
            case.due_rule.encode(),
            case.paused_since.isoformat().encode() if case.paused_since else b"",
            str(case.register_year or "").encode(),
            str(case.register_number or "").encode(),
            b"unread" if case.unread_from_reporter else b"",
            case.figures,
        ),
    )


def tag_case(keys: ServerKeys, case: Case) -> None:
    """Make the tag anew after a verb changed the row."""
    case.tag = keys.tag(
        Context("cases", case.report, "row", case.report), case_content(case)
    )


def check_case(keys: ServerKeys, case: Case) -> None:
    """Raise NotAuthentic unless the row is as our last verb left it."""
    keys.check_tag(
        case.tag, Context("cases", case.report, "row", case.report), case_content(case)
    )


def _take_draft(session: Session, report: bytes) -> bool:
    """Delete the draft row: of a submit and a purge at once, only one goes on."""
    session.flush()
    taken = session.connection().execute(
        delete(Draft).where(col(Draft.report) == report).returning(col(Draft.report))
    )
    return taken.first() is not None


def _open(keys: ServerKeys, row: Item, secret: bytes) -> Content | None:
    context = _item_context(row.id, row.report, row.seq)
    try:
        keys.check_tag(row.tag, context, _item_content(row))
        return Content.from_bytes(sealing.open_seal(row.blob, secret, context))
    except (NotAuthentic, ValueError):
        return None


def _item_content(row: Item) -> bytes:
    flags: Mapping[bool, bytes] = {False: b"0", True: b"1"}
    return sealing.encode(
        row.audience.encode(),
        row.day.isoformat().encode(),
        flags[row.by_officer],
        flags[row.unread],
        row.blob,
    )


def _item_context(item_id: bytes, report: bytes, seq: int) -> Context:
    return Context("items", item_id, "blob", report, seq)


def _grant_context(grant_id: bytes, report: bytes, generation: int) -> Context:
    return Context("grants", grant_id, "secret", report, 0, generation)
