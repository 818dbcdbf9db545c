"""Where the dialogue with one handle stands, encrypted under the server key.

Also the inbox: that a provider's message was taken, so that a repeat stops there.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database import transactions
from storage.database.statement import Statement
from storage.models import Conversation, Inbox
from storage.words import Channel

_HOUR = 3600
_AT_ONCE = 500


def first_seen(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str, *, day: date
) -> bool:
    """Remember a provider's message; False when it was taken before."""
    return _insert(session, keys.look_ups(Purpose.INBOX, channel, provider_id), day)


def quarantine(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str, *, day: date
) -> None:
    """Remember that the message of this name is in quarantine: it was never taken."""
    _insert(session, _quarantined(keys, channel, provider_id), day)


def release(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str
) -> bool:
    """Free the name of a message in quarantine, so that it can be taken, once.

    False for one that is not in quarantine under its name, or was freed before.
    """
    delete_names = delete(Inbox).where
    marks = _quarantined(keys, channel, provider_id)
    freed = session.connection().execute(delete_names(col(Inbox.name).in_(marks)))
    if not freed.rowcount:
        return False
    known = keys.look_ups(Purpose.INBOX, channel, provider_id)
    session.connection().execute(delete_names(col(Inbox.name).in_(known)))
    return True


def _quarantined(
    keys: ServerKeys, channel: Channel, provider_id: str
) -> tuple[bytes, ...]:
    """Return the marks of a message in quarantine; stored ones were made of ``aside``."""
    return keys.look_ups(Purpose.INBOX, "aside", channel, provider_id)


def known(
    session: Session, keys: ServerKeys, channel: Channel, provider_ids: Sequence[str]
) -> set[str]:
    """Return which of a provider's messages were taken before."""
    names = {
        name: one
        for one in provider_ids
        for name in keys.look_ups(Purpose.INBOX, channel, one)
    }
    found: set[str] = set()
    for begin in range(0, len(names), _AT_ONCE):
        some = list(names)[begin : begin + _AT_ONCE]
        query = select(Inbox.name).where(col(Inbox.name).in_(some))
        found |= {names[name] for name in session.exec(query)}
    return found


def first_time(session: Session, keys: ServerKeys, once: str, *, day: date) -> bool:
    """Remember a form's one-time value; False when the form was sent before."""
    return _insert(session, keys.look_ups(Purpose.INBOX, "form", once), day)


_TAKE = Statement.insert("inbox", Inbox.model_fields, "ON CONFLICT DO NOTHING")
_TAKEN = Statement("SELECT 1 FROM inbox WHERE name IN (:names*) LIMIT 1")


def _insert(session: Session, names: Sequence[bytes], day: date) -> bool:
    name, *older = names
    if older and _TAKEN(session, names=older).first() is not None:
        return False
    return _TAKE(session, name=name, day=day).rowcount == 1


def name_of(keys: ServerKeys, channel: Channel, handle: str) -> bytes:
    """Return the keyed name of a handle."""
    return keys.look_up(Purpose.HANDLE, channel, handle)


def names_of(keys: ServerKeys, channel: Channel, handle: str) -> tuple[bytes, ...]:
    """Return the names of a handle under every server key, the newest first."""
    return keys.look_ups(Purpose.HANDLE, channel, handle)


class Kept(NamedTuple):
    """A conversation's row, as ``find`` reads it."""

    handle: bytes
    alias: bytes | None
    state: bytes
    expiry_hour: int


Row: TypeAlias = Conversation | Kept


_FIND = Statement(
    "SELECT handle, alias, state, expiry_hour FROM conversations"
    " WHERE handle IN (:names*) OR alias IN (:names*) LIMIT 1"
)
_KEEP = Statement.insert(
    "conversations",
    Kept._fields,
    "ON CONFLICT (handle) DO UPDATE"
    " SET alias = :alias, state = :state, expiry_hour = :expiry_hour",
)
_FORGET = Statement(
    "DELETE FROM conversations WHERE handle IN (:names*) OR alias IN (:names*)"
)


def find(session: Session, names: Sequence[bytes]) -> Kept | None:
    """Return the conversation known under one of these names."""
    found = _FIND(session, names=names).first()
    return Kept(*found) if found is not None else None


def read(keys: ServerKeys, row: Row) -> bytes:
    """Return the state as it was saved; raises NotAuthentic."""
    return keys.unlock(Purpose.CONVERSATION, row.state, _context(row.handle, row.alias))


def save(
    session: Session,
    keys: ServerKeys,
    names: Sequence[bytes],
    state: bytes,
    *,
    expires: datetime,
) -> None:
    """Keep the state under the first name (the second is an alias) until ``expires``."""
    row = find(session, names)
    kept = row if row is not None and _is_ours(keys, row) else None
    save_over(session, keys, names, state, expires=expires, kept=kept)


def save_over(
    session: Session,
    keys: ServerKeys,
    names: Sequence[bytes],
    state: bytes,
    *,
    expires: datetime,
    kept: Kept | None,
) -> None:
    """Save in the place of ``kept``, which was found under these names and was read.

    None: there was nothing, or nothing of ours. A row that somebody turned to these names
    makes place for a new one.
    """
    if kept is None:
        forget(session, names)
    handle, alias = (kept.handle, kept.alias) if kept else (names[0], None)
    if len(names) > 1:
        alias = next(name for name in names if name != handle)
    _KEEP(
        session,
        handle=handle,
        alias=alias,
        state=keys.lock(Purpose.CONVERSATION, state, _context(handle, alias)),
        expiry_hour=-int(-expires.timestamp() // _HOUR),
    )


def forget(session: Session, names: Sequence[bytes]) -> None:
    """Delete a conversation."""
    _FORGET(session, names=names)


def drop(session: Session, row: Row) -> None:
    """Delete a conversation."""
    forget(session, [row.handle])


def rename(session: Session, keys: ServerKeys, row: Conversation) -> None:
    """Keep a conversation under the newest server key, by name and content.

    What is kept names channel and handle (``handlers/conversation/memory.py``). The alias is a name
    only: the next message brings it again. Raises NotAuthentic.
    """
    state = read(keys, row)
    who = json.loads(state)
    fresh = Conversation(
        handle=name_of(keys, Channel(who["channel"]), who["handle"]),
        state=b"",
        expiry_hour=row.expiry_hour,
    )
    fresh.state = keys.lock(Purpose.CONVERSATION, state, _context(fresh.handle, None))
    session.delete(row)
    session.flush()
    session.add(fresh)
    session.flush()


def expired(session: Session, *, now: datetime, limit: int) -> list[Conversation]:
    """Return conversations whose hour has passed, the longest ago first."""
    hour = int(now.timestamp() // _HOUR)
    return ending(session, hours=(0, hour), limit=limit)


def ending(
    session: Session, *, hours: tuple[int, int], limit: int
) -> list[Conversation]:
    """Return conversations that may go in these hours (since 1970, both included)."""
    first, last = hours
    query = select(Conversation).where(
        col(Conversation.expiry_hour) >= first, col(Conversation.expiry_hour) <= last
    )
    query = query.order_by(col(Conversation.expiry_hour)).limit(limit)
    return list(session.exec(query))


def is_over(row: Row, *, now: datetime) -> bool:
    """Tell whether a conversation's hour has passed."""
    return row.expiry_hour <= int(now.timestamp() // _HOUR)


def everyone(session: Session) -> Iterator[Conversation]:
    """Yield every conversation as it stands in the store."""
    query = select(Conversation).execution_options(
        populate_existing=True, yield_per=_AT_ONCE
    )
    yield from session.exec(query)


def hold(session: Session, handles: Sequence[Sequence[bytes]]) -> list[Conversation]:
    """Lock people as a message of theirs does; returns what is there of them by then.

    Each is known by their names. Call it before anything is written, once in a transaction,
    for some hundreds at most.
    """
    every = sorted({name for names in handles for name in names})
    transactions.lock_handles(session.connection(), every)
    known = or_(col(Conversation.handle).in_(every), col(Conversation.alias).in_(every))
    query = select(Conversation).where(known).order_by(col(Conversation.handle))
    held = query.with_for_update().execution_options(populate_existing=True)
    return list(session.exec(held))


def names_in(row: Row) -> list[bytes]:
    """Return the names under which a conversation is known."""
    return [name for name in (row.handle, row.alias) if name]


def drop_inbox(session: Session, *, before: date) -> int:
    """Delete what was remembered before a day; returns how many."""
    gone = session.connection().execute(delete(Inbox).where(col(Inbox.day) < before))
    return gone.rowcount


def _is_ours(keys: ServerKeys, row: Row) -> bool:
    try:
        read(keys, row)
    except NotAuthentic:
        return False
    return True


def _context(handle: bytes, alias: bytes | None) -> Context:
    """Bind a state to both names: whoever writes another alias beside it breaks it."""
    return Context("conversations", handle, "state", key=alias or b"")
