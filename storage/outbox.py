"""The outbox: everything that leaves waits here first, encrypted, in its order.

Fifth of the five files of one message: bot/webhooks.py, bot/channels/telegram.py,
handlers/inbox.py, handlers/dialogue.py, storage/outbox.py. ``bot/delivery.py`` is the way
out. A row is deleted at its terminal status. Only the oldest row of a person may be
claimed, so a row in retry holds back that person alone.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CursorResult, delete, text, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.keys import Purpose, ServerKeys
from storage.letters import Letter
from storage.models import OutboxRow
from storage.sealing import Context, NotAuthentic
from storage.words import Channel, LetterKind

LEASE = timedelta(seconds=60)
LIVES: Final = {
    LetterKind.REPLY: timedelta(hours=24),
    LetterKind.RECEIPT: timedelta(hours=24),
    LetterKind.NOTICE: timedelta(hours=48),
    LetterKind.ALERT: timedelta(hours=24),
    LetterKind.ACK: timedelta(seconds=15),
    LetterKind.DELETE: timedelta(hours=47),
}
"""How long a letter may wait. DESIGN asks 72 h for notices, SECRETS 48 h for every row:
the stricter holds."""

WAITING, SENT = "waiting", "sent"
_CLAIM = """
UPDATE outbox SET lease_until = :lease, lease_token = :token, attempts = attempts + 1,
  doubtful = (doubtful OR lease_until IS NOT NULL)
WHERE id IN (
  SELECT o.id FROM outbox AS o
  WHERE o.channel = :channel AND o.state = 'waiting' AND o.due <= :now
    AND (o.lease_until IS NULL OR o.lease_until < :now)
    AND (o.kind = 'ack' OR NOT EXISTS (
      SELECT 1 FROM outbox AS p
      WHERE p.order_name = o.order_name AND p.id < o.id AND p.state = 'waiting'
        AND p.kind <> 'ack'))
  ORDER BY o.kind <> 'ack', o.kind <> 'receipt', o.kind = 'alert', o.id LIMIT :limit {lock})
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter that we hold for 60 seconds, and the token every finish shows."""

    id: int
    token: bytes
    letter: Letter = field(repr=False)
    attempts: int
    expires: datetime
    doubtful: bool
    order_name: bytes = field(repr=False)


def put(
    session: Session,
    keys: ServerKeys,
    letter: Letter,
    *,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Post a letter in the caller's transaction."""
    order_name = keys.look_up(Purpose.ORDER, letter.channel, letter.to)
    expires = now + LIVES[letter.kind]
    context = _context(order_name, expires)
    session.add(
        OutboxRow(
            channel=letter.channel.value,
            kind=letter.kind.value,
            due=due or now,
            expires=expires,
            order_name=order_name,
            blob=keys.lock(Purpose.OUTBOX, letter.to_bytes(), context),
        )
    )
    session.flush()


def claim(
    session: Session, keys: ServerKeys, channel: Channel, *, limit: int, now: datetime
) -> list[Claimed]:
    """Take due letters of one channel under a lease, acknowledgments first."""
    connection = session.connection()
    lock = "" if connection.dialect.name == "sqlite" else "FOR UPDATE SKIP LOCKED"
    token = secrets.token_bytes(16)
    moment = _moment(now, sqlite=not lock)
    until = _moment(now + LEASE, sqlite=not lock)
    found = connection.execute(
        text(_CLAIM.format(lock=lock)),
        {
            "lease": until,
            "token": token,
            "channel": channel.value,
            "now": moment,
            "limit": limit,
        },
    )
    ids = [row.id for row in found]
    if not ids:
        return []
    rows = session.exec(
        select(OutboxRow).where(col(OutboxRow.id).in_(ids)).order_by(col(OutboxRow.id))
    ).all()
    return [
        held for row in rows if (held := _open(session, keys, row, token)) is not None
    ]


def sent(
    session: Session,
    keys: ServerKeys,
    claimed: Claimed,
    *,
    provider_id: str,
    final: bool,
    now: datetime,
) -> bool:
    """Finish a letter that the provider accepted.

    ``final``: no status will follow, the row goes. Otherwise the text is wiped and the
    row waits for the provider's status, at most 48 h. False if the lease was lost.
    """
    if final or not provider_id:
        return _delete(session, claimed)
    rest = Letter(
        kind=claimed.letter.kind,
        channel=claimed.letter.channel,
        to=claimed.letter.to if claimed.letter.case else "",
        case=claimed.letter.case,
    )
    nobody = secrets.token_bytes(32)  # from here on the row leads to no person
    expires = now + timedelta(hours=48)
    context = _context(nobody, expires)
    changed = session.connection().execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id) == claimed.id, col(OutboxRow.lease_token) == claimed.token
        )
        .values(
            state=SENT,
            lease_until=None,
            lease_token=None,
            order_name=nobody,
            provider_name=keys.look_up(
                Purpose.PROVIDER, claimed.letter.channel, provider_id
            ),
            expires=expires,
            blob=keys.lock(Purpose.OUTBOX, rest.to_bytes(), context),
        )
    )
    return bool(changed.rowcount)


def later(
    session: Session, claimed: Claimed, *, due: datetime, doubtful: bool, now: datetime
) -> bool:
    """Put a letter back until ``due``, or drop it when it would have expired by then."""
    if due >= claimed.expires or now >= claimed.expires:
        return _delete(session, claimed)
    changed = session.connection().execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id) == claimed.id, col(OutboxRow.lease_token) == claimed.token
        )
        .values(due=due, doubtful=doubtful, lease_until=None, lease_token=None)
    )
    return bool(changed.rowcount)


def dead(session: Session, claimed: Claimed) -> bool:
    """Drop a letter that can never be sent, so that the person's next one goes."""
    return _delete(session, claimed)


def status(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str, rank: int
) -> Letter | None:
    """Apply a provider's status; never backwards.

    Returns what is left of the letter (kind, handle and case) when this status is new,
    None for a repeat, an older status or an unknown id.
    """
    name = keys.look_up(Purpose.PROVIDER, channel, provider_id)
    row = session.exec(
        select(OutboxRow).where(OutboxRow.provider_name == name).with_for_update()
    ).first()
    if row is None or rank <= row.rank:
        return None
    row.rank = rank
    session.add(row)
    session.flush()
    return _letter(keys, row)


def drop(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str
) -> None:
    """Delete the row of a letter whose status is terminal."""
    name = keys.look_up(Purpose.PROVIDER, channel, provider_id)
    session.connection().execute(
        delete(OutboxRow).where(col(OutboxRow.provider_name) == name)
    )


def drop_expired(session: Session, *, now: datetime) -> int:
    """Delete rows past their life that nobody holds; returns how many."""
    gone: CursorResult[tuple[()]] = session.connection().execute(
        delete(OutboxRow).where(
            col(OutboxRow.expires) < now,
            (col(OutboxRow.lease_until).is_(None)) | (col(OutboxRow.lease_until) < now),
        )
    )
    return gone.rowcount


def next_due(session: Session, channel: Channel) -> datetime | None:
    """Return when the next letter of a channel that could be claimed is due, if any.

    Letters under a lease, and those behind an older one of their person, do not count.
    """
    older = aliased(OutboxRow)
    behind = (
        select(older.id)
        .where(
            col(older.order_name) == col(OutboxRow.order_name),
            col(older.id) < col(OutboxRow.id),
            col(older.state) == WAITING,
            col(older.kind) != LetterKind.ACK.value,
        )
        .exists()
    )
    return session.exec(
        select(OutboxRow.due)
        .where(
            OutboxRow.channel == channel.value,
            OutboxRow.state == WAITING,
            col(OutboxRow.lease_until).is_(None),
            ~behind,
        )
        .order_by(col(OutboxRow.due))
        .limit(1)
    ).first()


def _open(
    session: Session, keys: ServerKeys, row: OutboxRow, token: bytes
) -> Claimed | None:
    letter = _letter(keys, row)
    if letter is None or (letter.channel, letter.kind) != (row.channel, row.kind):
        session.delete(row)
        return None
    return Claimed(
        id=row.id or 0,
        token=token,
        letter=letter,
        attempts=row.attempts,
        expires=row.expires,
        doubtful=row.doubtful,
        order_name=row.order_name,
    )


def _letter(keys: ServerKeys, row: OutboxRow) -> Letter | None:
    context = _context(row.order_name, row.expires)
    try:
        return Letter.from_bytes(keys.unlock(Purpose.OUTBOX, row.blob, context))
    except NotAuthentic:
        return None


def _delete(session: Session, claimed: Claimed) -> bool:
    gone = session.connection().execute(
        delete(OutboxRow).where(
            col(OutboxRow.id) == claimed.id, col(OutboxRow.lease_token) == claimed.token
        )
    )
    return bool(gone.rowcount)


def _moment(moment: datetime, *, sqlite: bool) -> datetime | str:
    if not sqlite:
        return moment
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _context(order_name: bytes, expires: datetime) -> Context:
    """Bind a letter to its person and its end: put back later, it is no letter any more."""
    return Context("outbox", order_name, "blob", seq=int(expires.timestamp()))
