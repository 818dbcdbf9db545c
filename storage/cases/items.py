"""The sealed items of a report: answers, messages, notes; to whom they are sealed."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.statement import Statement
from storage.models import Item
from storage.words import Audience, ItemKind

_BY_OFFICER = frozenset(
    {ItemKind.QUESTION, ItemKind.NOTE, ItemKind.TOLD, ItemKind.NAMED}
)
_TO_REPORTER = frozenset({ItemKind.QUESTION, ItemKind.TOLD})


@dataclass(frozen=True, slots=True)
class Content:
    """What stands inside an item's seal. ``at`` is the exact time, ISO 8601 in UTC.

    ``marks`` tell how it came (``words.Mark``).
    """

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
    marks: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return padded bytes; lone surrogates survive as escapes."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return sealing.pad(json.dumps(fields).encode("ascii"))

    @classmethod
    def from_bytes(cls, padded: bytes) -> "Content":
        """Read back what ``to_bytes`` wrote; raises NotAuthentic for anything else."""
        fields = sealing.told(sealing.unpad(padded))
        with sealing.as_written():
            fields["kind"] = ItemKind(fields["kind"])
            fields["marks"] = tuple(fields.get("marks", ()))
            return cls(**fields)


@dataclass(frozen=True, slots=True)
class Opened:
    """An item as a key holder reads it; ``content`` is None where it is not authentic."""

    seq: int
    day: date
    by_officer: bool
    unread: bool
    content: Content | None


_ADD = Statement.insert("items", Item.model_fields)
_LAST = Statement("SELECT max(seq) FROM items WHERE report = :report")
_BLOBS = Statement("SELECT blob FROM items WHERE report = :report ORDER BY seq")


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
    seq = last_seq(session, report) + 1
    item_id = secrets.token_bytes(16)
    context = _item_context(item_id, report, seq)
    if audience is Audience.IDENTITY:
        if vault is None:
            raise ValueError("an identity needs the vault's key")
        blob = sealing.seal_twice(content.to_bytes(), vault, public, context)
    else:
        blob = sealing.seal(content.to_bytes(), public, context)
    by_officer = content.kind in _BY_OFFICER
    unread = audience is Audience.REPORTER and content.kind in _TO_REPORTER
    tagged = _tagged(audience.value, day, blob, by_officer=by_officer, unread=unread)
    _ADD(
        session,
        id=item_id,
        report=report,
        seq=seq,
        day=day,
        audience=audience.value,
        by_officer=by_officer,
        unread=unread,
        blob=blob,
        tag=keys.tag(context, tagged),
    )
    return hashlib.sha256(blob).digest()


def item_hashes(session: Session, report: bytes) -> list[bytes]:
    """Return the hashes of a report's items in order, for its history."""
    blobs = _BLOBS(session, report=report).scalars()
    return [hashlib.sha256(blob).digest() for blob in blobs]


def count_items(session: Session, report: bytes) -> int:
    """Return how many items a report has."""
    return session.exec(select(func.count()).where(Item.report == report)).one()


def last_seq(session: Session, report: bytes) -> int:
    """Return the number of a report's last item, 0 where there is none."""
    return int(_LAST(session, report=report).scalar() or 0)


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


def reseal(
    session: Session, keys: ServerKeys, report: bytes, secret: bytes, public: bytes
) -> dict[bytes, bytes]:
    """Seal anew, to the key ``public``, what a report's ``secret`` opens.

    Returns the hash of each new blob by that of the old. Of an identity only the outer
    seal changes. What the reporter holds, and what is not authentic, stays as it is.
    """
    rows = session.exec(
        select(Item).where(
            Item.report == report, Item.audience != Audience.REPORTER.value
        )
    ).all()
    changed = {}
    for row in rows:
        context = _item_context(row.id, row.report, row.seq)
        try:
            keys.check_tag(row.tag, context, _item_content(row))
            plain = sealing.open_seal(row.blob, secret, context)
        except NotAuthentic:
            continue
        was = hashlib.sha256(row.blob).digest()
        row.blob = sealing.seal(plain, public, context)
        row.tag = keys.tag(context, _item_content(row))
        session.add(row)
        changed[was] = hashlib.sha256(row.blob).digest()
    session.flush()
    return changed


def identity_halves(
    session: Session, keys: ServerKeys, report: bytes, case_secret: bytes
) -> list[tuple[bytes, int, bytes]]:
    """Open the case's seal of each identity item: (item id, seq, what the vault must open).

    An item that is not authentic is left out.
    """
    rows = session.exec(
        select(Item)
        .where(Item.report == report, Item.audience == Audience.IDENTITY.value)
        .order_by(col(Item.seq))
    ).all()
    found = []
    for row in rows:
        context = _item_context(row.id, row.report, row.seq)
        try:
            keys.check_tag(row.tag, context, _item_content(row))
            half = sealing.open_seal(row.blob, case_secret, context)
        except NotAuthentic:
            continue
        found.append((row.id, row.seq, half))
    return found


def whole_identity(
    report: bytes, half: tuple[bytes, int, bytes], vault_secret: bytes
) -> Content:
    """Open the vault's seal of a half. Raises NotAuthentic."""
    item_id, seq, inner = half
    context = _item_context(item_id, report, seq)
    return Content.from_bytes(sealing.open_seal(inner, vault_secret, context))


def check(keys: ServerKeys, row: Item) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    context = _item_context(row.id, row.report, row.seq)
    keys.check_tag(row.tag, context, _item_content(row))


def _open(keys: ServerKeys, row: Item, secret: bytes) -> Content | None:
    context = _item_context(row.id, row.report, row.seq)
    try:
        check(keys, row)
        return Content.from_bytes(sealing.open_seal(row.blob, secret, context))
    except (NotAuthentic, ValueError):
        return None


def _item_content(row: Item) -> bytes:
    return _tagged(
        row.audience,
        row.day,
        row.blob,
        by_officer=row.by_officer,
        unread=row.unread,
    )


def _tagged(
    audience: str, day: date, blob: bytes, *, by_officer: bool, unread: bool
) -> bytes:
    flags: Mapping[bool, bytes] = {False: b"0", True: b"1"}
    return sealing.encode(
        audience.encode(),
        day.isoformat().encode(),
        flags[by_officer],
        flags[unread],
        blob,
    )


def _item_context(item_id: bytes, report: bytes, seq: int) -> Context:
    return Context("items", item_id, "blob", report, seq)
