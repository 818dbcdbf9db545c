"""The outbox: everything that leaves waits here first, encrypted, in its order.

Fifth of the five files of one message: bot/webhooks.py, bot/channels/telegram.py,
handlers/inbox.py, handlers/dialogue.py, storage/outbox.py. ``bot/delivery/delivery.py`` is the way
out. A row is deleted when the provider took the letter (what is left until its last status
lies in ``storage/letters/sent.py``). Only the oldest row of a person may be claimed, so a row in
retry holds back that person alone. One that failed is never claimed and holds back nobody.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from sqlalchemy import CursorResult, delete, text, update
from sqlmodel import Session, col, select

from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import moment
from storage.letters import sent as sent_letters
from storage.letters.letter import PRIORITIES, Letter, expiry
from storage.letters.statements import CLAIM, CLAIM_OLDEST, DELETE, NEXT_DUE, PUT
from storage.models import OutboxRow
from storage.words import Channel, LetterKind

LEASE = timedelta(seconds=60)


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


class Leased(NamedTuple):
    """A row that a claim took; the fields of ``OutboxRow`` that a sender needs."""

    id: int
    channel: str
    priority: int
    expires: datetime
    attempts: int
    doubtful: bool
    order_name: bytes
    blob: bytes

    @classmethod
    def read(cls, row: Sequence[Any]) -> Self:
        """Read what the claim returned."""
        leased = cls(*row)
        return leased._replace(expires=moment(leased.expires))


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
    expires = expiry(letter.kind, now)
    place = context(order_name, expires)
    PUT(
        session,
        channel=letter.channel.value,
        priority=PRIORITIES[letter.kind],
        due=due or now.replace(second=0, microsecond=0),
        expires=expires,
        attempts=0,
        doubtful=False,
        order_name=order_name,
        twin=letter.twin_name(keys),
        blob=keys.lock(Purpose.OUTBOX, letter.to_bytes(), place),
    )


def claim(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    *,
    limit: int,
    now: datetime,
    oldest: bool = False,
) -> list[Claimed]:
    """Take due letters of one channel under a lease, the most urgent (or oldest) first."""
    token = secrets.token_bytes(16)
    found = (CLAIM_OLDEST if oldest else CLAIM)(
        session,
        lease=now + LEASE,
        token=token,
        channel=channel.value,
        now=now,
        limit=limit,
    )
    rows = sorted(map(Leased.read, found))
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

    The row goes. Unless ``final``, the provider will tell what became of it: then case and
    handle are kept for that, without the text. False if the lease was lost.
    """
    if not _delete(session, claimed):
        return False
    if not final and provider_id:
        sent_letters.put(session, keys, claimed.letter, provider_id, now=now)
    return True


def later(
    session: Session,
    claimed: Claimed,
    *,
    due: datetime,
    doubtful: bool,
    tried: bool = True,
) -> bool:
    """Put a letter back until ``due``, at the latest until its end.

    One whose end has come is not dropped here: whoever finds it next says so.
    """
    changed = session.connection().execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id) == claimed.id, col(OutboxRow.lease_token) == claimed.token
        )
        .values(
            due=min(due, claimed.expires),
            doubtful=doubtful,
            attempts=claimed.attempts - (not tried),
            lease_until=None,
            lease_token=None,
        )
    )
    return bool(changed.rowcount)


def dead(session: Session, claimed: Claimed) -> bool:
    """Drop a letter that can never be sent, so that the person's next one goes."""
    return _delete(session, claimed)


def take_back(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, case: str = ""
) -> int:
    """Delete a person's notices that did not leave yet, and what failed; returns how many.

    ``case`` (hex) limits notices to one case. What else waits stays, and every receipt.
    """
    names = keys.look_ups(Purpose.ORDER, channel, handle)
    rows = session.exec(select(OutboxRow).where(col(OutboxRow.order_name).in_(names)))
    gone = 0
    for row in rows.all():
        letter = letter_of(keys, row)
        if letter is None or letter.kind is LetterKind.RECEIPT:
            continue
        if not (row.failed or letter.kind is LetterKind.NOTICE):
            continue
        if not letter.case or case in {"", letter.case}:
            session.delete(row)
            gone += 1
    session.flush()
    return gone


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
    query = select(OutboxRow.due).from_statement(text(NEXT_DUE))
    found: datetime | None = session.scalar(query, {"channel": channel.value})
    return found


def _open(
    session: Session, keys: ServerKeys, row: Leased, token: bytes
) -> Claimed | None:
    letter = letter_of(keys, row)
    if letter is None or not _fits(letter, row):
        DELETE(session, id=row.id, token=token)
        return None
    return Claimed(
        id=row.id,
        token=token,
        letter=letter,
        attempts=row.attempts,
        expires=row.expires,
        doubtful=row.doubtful,
        order_name=row.order_name,
    )


def _fits(letter: Letter, row: Leased) -> bool:
    return letter.channel == row.channel and PRIORITIES[letter.kind] == row.priority


def letter_of(keys: ServerKeys, row: OutboxRow | Leased) -> Letter | None:
    """Return what a row holds; None for one that is not ours."""
    place = context(row.order_name, row.expires)
    try:
        return Letter.from_bytes(keys.unlock(Purpose.OUTBOX, row.blob, place))
    except NotAuthentic:
        return None


def _delete(session: Session, claimed: Claimed) -> bool:
    return bool(DELETE(session, id=claimed.id, token=claimed.token).rowcount)


def context(order_name: bytes, expires: datetime) -> Context:
    """Bind a letter to its person and its end: put back later, it is no letter any more."""
    return Context("outbox", order_name, "blob", seq=int(expires.timestamp()))
