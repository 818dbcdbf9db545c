"""Console sessions: what a cookie opens, and for how long.

The cookie is ``value.finder``, two random values. The row is found by the hash of the
finder; the officer's secret key in it is wrapped under HKDF(value, salt = server
sub-key), so neither the database nor the server key opens it without the browser.
"""

import base64
import hmac
import secrets
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import Session, col, delete, or_

from storage import officers
from storage.keys import Purpose, ServerKeys, lock_with, unlock_with
from storage.models import Officer
from storage.models import Session as Row
from storage.sealing import Context, NotAuthentic

IDLE = timedelta(minutes=20)
LONGEST = timedelta(hours=10)
TOUCH_EVERY = timedelta(minutes=1)
_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was resumed: who it is, and the officer's secret key."""

    officer: Officer = field(repr=False)
    secret: bytes = field(repr=False)
    began: datetime
    touch_due: bool


def begin(
    session: Session,
    keys: ServerKeys,
    officer: Officer,
    secret: bytes,
    *,
    now: datetime,
) -> str:
    """Store a session and return its cookie. Raises NotAuthentic for a changed account."""
    officers.check(keys, officer)
    value, finder = secrets.token_bytes(_BYTES), secrets.token_bytes(_BYTES)
    name = sha256(finder).digest()
    key = _key(keys, value, keys.newest)
    wrap = lock_with(key, secret, _context(name, officer.id, now))
    row = Row(
        hash=name,
        officer=officer.id,
        secret=bytes((keys.newest,)) + wrap,
        began=now,
        seen=now,
    )
    session.add(row)
    session.flush()
    return f"{_text(value)}.{_text(finder)}"


def resume(
    session: Session, keys: ServerKeys, cookie: str, *, now: datetime
) -> SignedIn | None:
    """Return who is signed in, or None: unknown, over, or changed by somebody. Only reads."""
    try:
        value, name = _parse(cookie)
        row = session.get(Row, name)
        if row is None or not _alive(row, now):
            return None
        officer = officers.by_id(session, keys, row.officer)
        key = _key(keys, value, row.secret[0])
        context = _context(name, row.officer, row.began)
        secret = unlock_with(key, row.secret[1:], context)
    except (NotAuthentic, officers.NoSuchOfficer):
        return None
    if not officer.active:
        return None
    return SignedIn(officer, secret, row.began, now - row.seen >= TOUCH_EVERY)


def touch(session: Session, cookie: str, *, now: datetime) -> None:
    """Remember that the session is in use; call it when ``touch_due``, so reads rarely write."""
    try:
        _, name = _parse(cookie)
    except NotAuthentic:
        return
    row = session.get(Row, name)
    if row is not None and _alive(row, now):
        row.seen = max(row.seen, now)
        session.add(row)


def end(session: Session, cookie: str) -> None:
    """Delete a session; an unknown cookie is no error."""
    try:
        _, name = _parse(cookie)
    except NotAuthentic:
        return
    session.exec(delete(Row).where(col(Row.hash) == name))


def end_all(session: Session, officer_id: bytes) -> None:
    """Delete every session of an officer."""
    session.exec(delete(Row).where(col(Row.officer) == officer_id))


def purge(session: Session, *, now: datetime) -> None:
    """Delete what is over."""
    over = or_(col(Row.seen) <= now - IDLE, col(Row.began) <= now - LONGEST)
    session.exec(delete(Row).where(over))


def form_token(cookie: str) -> str:
    """Return the token that every form of this session carries against forged posts."""
    value, _ = _parse(cookie)
    return _text(hmac.digest(value, b"kentongan/1/form", "sha256"))


def is_form_token(cookie: str, token: str) -> bool:
    """Tell in constant time whether a form came from this session's own page."""
    try:
        return hmac.compare_digest(form_token(cookie).encode(), token.encode())
    except (NotAuthentic, UnicodeEncodeError):
        return False


def _alive(row: Row, now: datetime) -> bool:
    return now - row.seen < IDLE and now - row.began < LONGEST


def _parse(cookie: str) -> tuple[bytes, bytes]:
    """Return the value and the name of the row."""
    left, _, right = cookie.partition(".")
    try:
        value, finder = (
            base64.b64decode(part + "=", altchars=b"-_", validate=True)
            for part in (left, right)
        )
    except (NotBase64, ValueError):
        raise NotAuthentic from None
    if len(value) != _BYTES or len(finder) != _BYTES:
        raise NotAuthentic
    return value, sha256(finder).digest()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _key(keys: ServerKeys, value: bytes, key_id: int) -> bytes:
    salt = keys.sub_key(Purpose.SESSION, key_id)
    return HKDF(hashes.SHA256(), 32, salt, b"kentongan/1/session").derive(value)


def _context(name: bytes, officer: bytes, began: datetime) -> Context:
    """Bind account and beginning, so that neither can be changed in the row."""
    micros = round(began.timestamp() * 1_000_000)
    return Context("sessions", name, "secret", seq=micros, key=officer)
