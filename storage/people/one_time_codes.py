"""An officer's second factor: six digits that change every 30 seconds (RFC 6238, SHA-1).

The secret is sealed to the officer's own key: the passphrase opens that key, so neither
the database nor the server key makes a code. Every code counts once. The list of factors
(``manifests``) knows who has one: a row that was taken away is not "no factor yet".
"""

import base64
import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlmodel import Session

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, NotAuthentic, encode, open_seal, seal
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, SecondFactor

SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
_WINDOW = (-1, 0, 1)


def proposal(
    session: Session, officer: Officer, secret: bytes, sign_in: bytes
) -> bytes:
    """Return the 20 bytes that a sign-in offers for a new authenticator.

    ``secret`` is the officer's secret key, ``sign_in`` names the session: the same page
    shows the same picture until a factor is set, and nothing has to be kept for it.
    """
    row = session.get(SecondFactor, officer.id)
    salt = sha256(encode(sign_in, row.secret if row else b"")).digest()
    info = b"kentongan/1/factor-proposal"
    return HKDF(hashes.SHA256(), SECRET_BYTES, salt, info).derive(secret)


def code_at(seed: bytes, step: int) -> str:
    """Return the six digits of a step (Unix time divided by 30 seconds)."""
    code = TOTP(seed, DIGITS, hashes.SHA1(), SECONDS).generate(step * SECONDS)  # noqa: S303 - RFC 6238; the apps know nothing else
    return code.decode()


def step_of(now: datetime) -> int:
    """Return the step in which a moment lies."""
    return int(now.timestamp()) // SECONDS


def is_code(text: str) -> bool:
    """Tell whether somebody typed six digits."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def matching_step(seed: bytes, code: str, *, now: datetime, after: int = 0) -> int:
    """Return the step whose code this is, later than ``after``, else 0."""
    found = 0
    for step in (step_of(now) + shift for shift in _WINDOW):
        right = hmac.compare_digest(code_at(seed, step).encode(), code.encode())
        if right and step > after and not found:
            found = step
    return found


def find(session: Session, keys: ServerKeys, officer_id: bytes) -> SecondFactor | None:
    """Return the factor of an officer, None if none was ever set. Raises NotAuthentic."""
    return _checked(session, keys, officer_id, session.get(SecondFactor, officer_id))


def put(
    session: Session, keys: ServerKeys, officer: Officer, seed: bytes, *, step: int
) -> None:
    """Store a factor in place of an older one; ``step`` is that of the code just shown.

    Raises NotAuthentic when the older one was changed.
    """
    old = _locked(session, keys, officer.id)
    gone = [] if old is None else [_has(officer.id), _row(old)]
    row = old or SecondFactor(officer=officer.id, secret=b"", last_step=0, tag=b"")
    row.secret = seal(seed, officer.public_key, _context(officer.id))
    row.last_step = step
    _write(session, keys, row)
    into = [_has(officer.id), _row(row)]
    manifests.change(session, keys, Name.FACTORS, out=gone, into=into)


def accept(
    session: Session,
    keys: ServerKeys,
    officer_id: bytes,
    secret: bytes,
    code: str,
    *,
    now: datetime,
) -> bool:
    """Tell whether a code is right and was never used; from now on it is used.

    The row is locked, so the same code sent twice at a time counts once. ``secret`` is
    the officer's secret key. Raises NotAuthentic for a changed row.
    """
    row = _locked(session, keys, officer_id)
    if row is None or not is_code(code):
        return False
    seed = open_seal(row.secret, secret, _context(officer_id))
    step = matching_step(seed, code, now=now, after=row.last_step)
    if step:
        row.last_step = step
        _write(session, keys, row)
    return bool(step)


def forget(session: Session, keys: ServerKeys, officer_id: bytes) -> None:
    """Delete the factor of an account that ends, one that was changed by hand too."""
    row = session.get(SecondFactor, officer_id)
    mine = [_has(officer_id)] if row is None else [_has(officer_id), _row(row)]
    if row is not None:
        session.delete(row)
        session.flush()
    known = manifests.present(session, keys, Name.FACTORS).rows
    out = [content for content in mine if manifests.name_of(content) in known]
    if out:
        manifests.change(session, keys, Name.FACTORS, out=out)


def new_seed() -> bytes:
    """Return the secret of a new authenticator."""
    return secrets.token_bytes(SECRET_BYTES)


def address(seed: bytes, issuer: str, login: str) -> str:
    """Return the ``otpauth`` address that an authenticator reads as a QR code."""
    label = quote(f"{issuer}:{login}", safe="")
    query = urlencode({"secret": text(seed), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def text(seed: bytes) -> str:
    """Return the secret as base32, for typing."""
    return base64.b32encode(seed).decode()


def _locked(
    session: Session, keys: ServerKeys, officer_id: bytes
) -> SecondFactor | None:
    row = session.get(
        SecondFactor, officer_id, with_for_update=True, populate_existing=True
    )
    return _checked(session, keys, officer_id, row)


def _checked(
    session: Session, keys: ServerKeys, officer_id: bytes, row: SecondFactor | None
) -> SecondFactor | None:
    if row is None:
        known = manifests.present(session, keys, Name.FACTORS).rows
        if manifests.name_of(_has(officer_id)) in known:
            raise NotAuthentic
        return None
    check(keys, row)
    manifests.require(session, keys, Name.FACTORS, _row(row))
    return row


def check(keys: ServerKeys, row: SecondFactor) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _tag_context(row), _content(row))


def _write(session: Session, keys: ServerKeys, row: SecondFactor) -> None:
    row.tag = keys.tag(_tag_context(row), _content(row))
    session.add(row)
    session.flush()


def _has(officer_id: bytes) -> bytes:
    return encode(b"has-factor", officer_id)


def _row(row: SecondFactor) -> bytes:
    return encode(b"factor", row.officer, row.secret)


def _content(row: SecondFactor) -> bytes:
    return encode(row.secret, str(row.last_step).encode())


def _context(officer_id: bytes) -> Context:
    return Context("second_factors", officer_id, "secret")


def _tag_context(row: SecondFactor) -> Context:
    return Context("second_factors", row.officer, "tag")
