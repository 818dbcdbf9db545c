"""An officer's own Telegram: linked by a one-time token, under a sub-key of its own.

Nothing here can be joined with the conversations of reporters.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, col, delete, select

from storage.keys import Purpose, ServerKeys
from storage.models import LinkToken, OfficerLink
from storage.sealing import Context
from storage.words import Channel

LIFE = timedelta(minutes=15)


def issue(session: Session, officer_id: bytes, *, now: datetime) -> str:
    """Return a token for a deep link (43 URL-safe characters); an older one dies."""
    session.exec(delete(LinkToken).where(col(LinkToken.officer) == officer_id))
    token = secrets.token_urlsafe(32)
    session.add(LinkToken(hash=_hash(token), officer=officer_id, expires=now + LIFE))
    session.flush()
    return token


def redeem(
    session: Session,
    keys: ServerKeys,
    token: str,
    channel: Channel,
    handle: str,
    *,
    now: datetime,
) -> bytes | None:
    """Link the handle that pressed the link; return the officer's id, None if too late."""
    row = session.get(LinkToken, _hash(token), with_for_update=True)
    if row is None:
        return None
    officer, alive = row.officer, row.expires > now
    session.delete(row)
    if not alive:
        return None
    unlink(session, officer)
    name = _name(keys, channel, handle)
    session.exec(delete(OfficerLink).where(col(OfficerLink.handle) == name))
    blob = keys.lock(
        Purpose.OFFICER_LINK, f"{channel.value} {handle}".encode(), _context(officer)
    )
    session.add(OfficerLink(officer=officer, handle=name, blob=blob))
    session.flush()
    return officer


def unlink(session: Session, officer_id: bytes) -> None:
    """Forget an officer's handle."""
    session.exec(delete(OfficerLink).where(col(OfficerLink.officer) == officer_id))


def officer_at(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> bytes | None:
    """Return the id of the officer who linked this handle, or None."""
    row = session.exec(
        select(OfficerLink).where(OfficerLink.handle == _name(keys, channel, handle))
    ).first()
    return row.officer if row is not None else None


def handle_of(
    session: Session, keys: ServerKeys, officer_id: bytes
) -> tuple[Channel, str] | None:
    """Return where an officer wants alerts, or None. Raises NotAuthentic."""
    row = session.get(OfficerLink, officer_id)
    if row is None:
        return None
    blob = keys.unlock(Purpose.OFFICER_LINK, row.blob, _context(officer_id))
    channel, _, handle = blob.decode().partition(" ")
    return Channel(channel), handle


def is_linked(session: Session, officer_id: bytes) -> bool:
    """Tell whether an officer has linked a handle."""
    return session.get(OfficerLink, officer_id) is not None


def purge(session: Session, *, now: datetime) -> None:
    """Delete tokens that nobody pressed."""
    session.exec(delete(LinkToken).where(col(LinkToken.expires) <= now))


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()


def _name(keys: ServerKeys, channel: Channel, handle: str) -> bytes:
    return keys.look_up(Purpose.OFFICER_HANDLE, channel.value, handle)


def _context(officer_id: bytes) -> Context:
    return Context("officer_links", officer_id, "blob")
