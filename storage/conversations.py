"""Where the dialogue with one handle stands, encrypted under the server key.

Also the inbox: that a provider's message was taken, so that a repeat stops there.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database import transactions
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


def _insert(session: Session, names: Sequence[bytes], day: date) -> bool:
    connection = session.connection()
    name, *older = names
    if older and _is_known(session, older):
        return False
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(Inbox)
        .values(name=name, day=day)
        .on_conflict_do_nothing()
        .returning(col(Inbox.name))
    )
    return connection.execute(statement).first() is not None


def _is_known(session: Session, names: Sequence[bytes]) -> bool:
    query = select(Inbox.name).where(col(Inbox.name).in_(list(names)))
    return session.exec(query.limit(1)).first() is not None


def name_of(keys: ServerKeys, channel: Channel, handle: str) -> bytes:
    """Return the keyed name of a handle."""
    return keys.look_up(Purpose.HANDLE, channel, handle)


def names_of(keys: ServerKeys, channel: Channel, handle: str) -> tuple[bytes, ...]:
    """Return the names of a handle under every server key, the newest first."""
    return keys.look_ups(Purpose.HANDLE, channel, handle)


def find(session: Session, names: Sequence[bytes]) -> Conversation | None:
    """Return the conversation known under one of these names."""
    query = select(Conversation).where(
        col(Conversation.handle).in_(list(names))
        | col(Conversation.alias).in_(list(names))
    )
    return session.exec(query.limit(1)).first()


def read(keys: ServerKeys, row: Conversation) -> bytes:
    """Return the state as it was saved; raises NotAuthentic."""
    return keys.unlock(Purpose.CONVERSATION, row.state, _context(row))


def save(
    session: Session,
    keys: ServerKeys,
    names: Sequence[bytes],
    state: bytes,
    *,
    expires: datetime,
) -> None:
    """Keep the state under the first name (the second is an alias) until ``expires``.

    A row that somebody turned to these names makes place for a new one.
    """
    row = find(session, names)
    if row is not None and not _is_ours(keys, row):
        session.delete(row)
        session.flush()
        row = None
    if row is None:
        row = Conversation(handle=names[0], state=b"", expiry_hour=0)
    if len(names) > 1:
        row.alias = next(name for name in names if name != row.handle)
    row.state = keys.lock(Purpose.CONVERSATION, state, _context(row))
    row.expiry_hour = -int(-expires.timestamp() // _HOUR)
    session.add(row)
    session.flush()


def forget(session: Session, names: Sequence[bytes]) -> None:
    """Delete a conversation."""
    session.connection().execute(
        delete(Conversation).where(
            col(Conversation.handle).in_(list(names))
            | col(Conversation.alias).in_(list(names))
        )
    )


def drop(session: Session, row: Conversation) -> None:
    """Delete a conversation."""
    session.delete(row)
    session.flush()


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
    fresh.state = keys.lock(Purpose.CONVERSATION, state, _context(fresh))
    session.delete(row)
    session.flush()
    session.add(fresh)
    session.flush()


def expired(session: Session, *, now: datetime) -> list[Conversation]:
    """Return the conversations whose hour has passed."""
    hour = int(now.timestamp() // _HOUR)
    return list(
        session.exec(
            select(Conversation).where(col(Conversation.expiry_hour) <= hour)
        ).all()
    )


def is_over(row: Conversation, *, now: datetime) -> bool:
    """Tell whether a conversation's hour has passed."""
    return row.expiry_hour <= int(now.timestamp() // _HOUR)


def everyone(session: Session) -> Iterator[Conversation]:
    """Yield every conversation as it stands in the store."""
    query = select(Conversation).execution_options(
        populate_existing=True, yield_per=_AT_ONCE
    )
    yield from session.exec(query)


def hold(session: Session, rows: Sequence[Conversation]) -> list[Conversation]:
    """Lock these people as a message of theirs does; returns what is there by then.

    Call it before anything is written, once in a transaction, for some hundreds at most.
    """
    names = [name for row in rows for name in (row.handle, row.alias) if name]
    transactions.lock_handles(session.connection(), names)
    held = (
        session.get(
            Conversation, row.handle, populate_existing=True, with_for_update=True
        )
        for row in rows
    )
    return [row for row in held if row is not None]


def drop_inbox(session: Session, *, before: date) -> int:
    """Delete what was remembered before a day; returns how many."""
    gone = session.connection().execute(delete(Inbox).where(col(Inbox.day) < before))
    return gone.rowcount


def _is_ours(keys: ServerKeys, row: Conversation) -> bool:
    try:
        read(keys, row)
    except NotAuthentic:
        return False
    return True


def _context(row: Conversation) -> Context:
    """Bind a state to both names: whoever writes another alias beside it breaks it."""
    return Context("conversations", row.handle, "state", key=row.alias or b"")
