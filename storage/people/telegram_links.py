"""An officer's own Telegram: linked by a one-time token, under a sub-key of its own.

Nothing here can be joined with the conversations of reporters.
"""

import secrets
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, delete, select

from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.models import LinkToken, OfficerLink
from storage.words import Channel

LIFE = timedelta(minutes=15)


def issue(
    session: Session, keys: ServerKeys, officer_id: bytes, *, now: datetime
) -> str:
    """Return a token for a deep link (43 URL-safe characters); an older one dies."""
    session.exec(delete(LinkToken).where(col(LinkToken.officer) == officer_id))
    token = secrets.token_urlsafe(32)
    row = LinkToken(
        hash=_found_by(keys, token), officer=officer_id, expires=now + LIFE, tag=b""
    )
    row.tag = keys.tag(_token_context(row), _token_content(row))
    session.add(row)
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
    """Link the handle that pressed the link; return the officer's id, None if too late.

    A token that we did not issue is as good as unknown.
    """
    row = session.get(LinkToken, _found_by(keys, token), with_for_update=True)
    if row is None or not _is_ours(keys, row):
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


def forget(session: Session, officer_id: bytes) -> None:
    """Forget an officer's handle, and a link that was not pressed yet."""
    session.exec(delete(LinkToken).where(col(LinkToken.officer) == officer_id))
    unlink(session, officer_id)


def officer_at(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> bytes | None:
    """Return the id of the officer who linked this handle, or None.

    The blob, which is bound to its officer, must name the handle too: a row whose columns
    were mixed from others is nobody's.
    """
    row = session.exec(
        select(OfficerLink).where(OfficerLink.handle == _name(keys, channel, handle))
    ).first()
    if row is None:
        return None
    try:
        linked = _opened(keys, row)
    except NotAuthentic:
        return None
    return row.officer if linked == (channel, handle) else None


def handle_of(
    session: Session, keys: ServerKeys, officer_id: bytes
) -> tuple[Channel, str] | None:
    """Return where an officer wants alerts, or None. Raises NotAuthentic."""
    row = session.get(OfficerLink, officer_id)
    if row is None:
        return None
    return _opened(keys, row)


_LINKED = Statement("SELECT officer FROM officer_links")


def linked(session: Session) -> frozenset[bytes]:
    """Return the officers who have linked a handle."""
    return frozenset(_LINKED(session).scalars())


def is_linked(session: Session, officer_id: bytes) -> bool:
    """Tell whether an officer has linked a handle."""
    return session.get(OfficerLink, officer_id) is not None


def purge(session: Session, *, now: datetime) -> None:
    """Delete tokens that nobody pressed."""
    session.exec(delete(LinkToken).where(col(LinkToken.expires) <= now))


def rename(keys: ServerKeys, row: OfficerLink) -> None:
    """Keep a link under the newest server key, by name and content. Raises NotAuthentic."""
    channel, handle = _opened(keys, row)
    row.handle = _name(keys, channel, handle)
    row.blob = keys.relock(Purpose.OFFICER_LINK, row.blob, _context(row.officer))


def _opened(keys: ServerKeys, row: OfficerLink) -> tuple[Channel, str]:
    blob = keys.unlock(Purpose.OFFICER_LINK, row.blob, _context(row.officer))
    channel, _, handle = blob.decode().partition(" ")
    return Channel(channel), handle


def _found_by(keys: ServerKeys, token: str) -> bytes:
    return keys.look_up(Purpose.OFFICER_LINK, token)


def _is_ours(keys: ServerKeys, row: LinkToken) -> bool:
    try:
        keys.check_tag(row.tag, _token_context(row), _token_content(row))
    except NotAuthentic:
        return False
    return True


def _name(keys: ServerKeys, channel: Channel, handle: str) -> bytes:
    return keys.look_up(Purpose.OFFICER_HANDLE, channel.value, handle)


def _context(officer_id: bytes) -> Context:
    return Context("officer_links", officer_id, "blob")


def _token_context(row: LinkToken) -> Context:
    return Context("link_tokens", row.hash, "tag")


def _token_content(row: LinkToken) -> bytes:
    return encode(row.officer, row.expires.astimezone(UTC).isoformat().encode())
