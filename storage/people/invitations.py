"""Invitations: a one-time link by which somebody makes an account of their own.

Only the keyed name of the token is kept. Login, name, role and unit are the inviter's
words and covered by the tag; the newcomer brings nothing but a passphrase.
"""

import secrets
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, delete, select

from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import Invitation, Officer
from storage.people import officers
from storage.words import Role

LIFE = timedelta(days=7)


def issue(
    session: Session,
    keys: ServerKeys,
    login: str,
    *,
    name: str,
    role: Role,
    language: str,
    unit: bytes | None,
    by: bytes | None,
    now: datetime,
) -> str:
    """Return a token (43 URL-safe characters); an older one for this login dies.

    ``by`` is the inviter's id, None for the operator. Raises ``officers.BadLogin``,
    ``officers.LoginTaken``.
    """
    login = officers.free_login(session, login)
    purge(session, now=now)
    session.exec(delete(Invitation).where(col(Invitation.login) == login))
    token = secrets.token_urlsafe(32)
    row = Invitation(
        hash=keys.look_up(Purpose.INVITATION, token),
        login=login,
        name=name.strip() or login,
        role=role.value,
        language=language,
        unit=unit,
        officer=by,
        expires=now + LIFE,
        tag=b"",
    )
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()
    return token


def find(
    session: Session, keys: ServerKeys, token: str, *, now: datetime
) -> Invitation | None:
    """Return the invitation behind a token; None if it is unknown, over, or not ours."""
    name = _found_by(session, keys, token)
    return _sound(keys, session.get(Invitation, name), now)


def take(
    session: Session, keys: ServerKeys, token: str, *, now: datetime
) -> Invitation | None:
    """Use an invitation up: of two who come with one token, the second finds nothing."""
    name = _found_by(session, keys, token)
    row = session.get(Invitation, name, with_for_update=True, populate_existing=True)
    if _sound(keys, row, now) is None:
        return None
    session.exec(delete(Invitation).where(col(Invitation.hash) == name))
    return row


def waiting(session: Session, keys: ServerKeys, *, now: datetime) -> list[Invitation]:
    """Return the invitations that nobody has used yet, by login."""
    rows = session.exec(select(Invitation).order_by(col(Invitation.login)))
    return [row for row in rows if _sound(keys, row, now) is not None]


def withdraw(session: Session, login: str) -> None:
    """Delete the invitation of a login; none is no error."""
    wanted = officers.normal_login(login)
    session.exec(delete(Invitation).where(col(Invitation.login) == wanted))


def purge(session: Session, *, now: datetime) -> None:
    """Delete what nobody used in time."""
    session.exec(delete(Invitation).where(col(Invitation.expires) <= now))


def inviter(session: Session, keys: ServerKeys, row: Invitation) -> Officer | None:
    """Return who invited, None for the operator.

    Raises NotAuthentic when that account ended since, or was changed by hand.
    """
    if row.officer is None:
        return None
    try:
        found = officers.by_id(session, keys, row.officer)
    except officers.NoSuchOfficer:
        raise NotAuthentic from None
    if not found.active:
        raise NotAuthentic
    return found


def _sound(
    keys: ServerKeys, row: Invitation | None, now: datetime
) -> Invitation | None:
    if row is None or row.expires <= now:
        return None
    try:
        keys.check_tag(row.tag, _context(row), _content(row))
    except NotAuthentic:
        return None
    return row


def _found_by(session: Session, keys: ServerKeys, token: str) -> bytes:
    """Return a token's name: an older one where the server key changed since."""
    names = keys.look_ups(Purpose.INVITATION, token)
    known = select(Invitation.hash).where(col(Invitation.hash).in_(names))
    return session.exec(known).first() or names[0]


def _context(row: Invitation) -> Context:
    return Context("invitations", row.hash, "tag")


def _content(row: Invitation) -> bytes:
    return encode(
        row.login.encode(),
        row.name.encode("utf-8", "surrogatepass"),
        row.role.encode(),
        row.language.encode(),
        row.unit or b"",
        row.officer or b"",
        row.expires.astimezone(UTC).isoformat().encode(),
    )
