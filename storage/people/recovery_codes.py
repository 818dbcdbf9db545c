"""Ten one-time codes for an officer whose second factor is lost.

Only an HMAC of each stands here, under a key that comes from the officer's own secret: a
thief with database and server key cannot even try codes.
"""

import hmac
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import ServerKeys
from storage.models import RecoveryCode

HOW_MANY = 10
FEW = 3
"""With so many left, or fewer, the officer is asked to make new ones."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_codes() -> list[str]:
    """Make a set: ten characters each (50 bits), in two groups."""
    return [_grouped(_word()) for _ in range(HOW_MANY)]


def is_code(text: str) -> bool:
    """Tell whether somebody typed a code of this shape."""
    normal = _normal(text)
    return len(normal) == _LENGTH and all(char in _ALPHABET for char in normal)


def replace(
    session: Session,
    keys: ServerKeys,
    officer_id: bytes,
    secret: bytes,
    codes: Sequence[str],
) -> None:
    """Let these codes count instead of all older ones; ``secret`` is the officer's key."""
    forget(session, keys, officer_id)
    rows = [
        RecoveryCode(hash=_hash(secret, code), officer=officer_id, tag=b"")
        for code in codes
    ]
    for row in rows:
        row.tag = keys.tag(_context(row), row.officer)
        session.add(row)
    session.flush()
    manifests.change(session, keys, Name.FACTORS, into=map(_row, rows))


def use(
    session: Session, keys: ServerKeys, officer_id: bytes, secret: bytes, code: str
) -> bool:
    """Tell whether a code is one of the officer's, and delete it: it counts once.

    Raises NotAuthentic for a row that we did not write or that counts no more.
    """
    if not is_code(code):
        return False
    name = _hash(secret, code)
    row = session.get(RecoveryCode, name, with_for_update=True, populate_existing=True)
    if row is None or row.officer != officer_id:
        return False
    check(keys, row)
    out = [_row(row)]
    session.delete(row)
    session.flush()
    manifests.change(session, keys, Name.FACTORS, out=out)
    return True


def left(session: Session, keys: ServerKeys, officer_id: bytes) -> int:
    """Return how many codes still count."""
    return len(_counting(session, keys, officer_id))


def forget(session: Session, keys: ServerKeys, officer_id: bytes) -> None:
    """Delete all codes of an account."""
    counting = [_row(row) for row in _counting(session, keys, officer_id)]
    for row in _rows(session, officer_id):
        session.delete(row)
    session.flush()
    if counting:
        manifests.change(session, keys, Name.FACTORS, out=counting)


def check(keys: ServerKeys, row: RecoveryCode) -> None:
    """Raise NotAuthentic unless this row was written by us."""
    keys.check_tag(row.tag, _context(row), row.officer)


def _rows(session: Session, officer_id: bytes) -> list[RecoveryCode]:
    query = select(RecoveryCode).where(col(RecoveryCode.officer) == officer_id)
    return list(session.exec(query))


def _counting(
    session: Session, keys: ServerKeys, officer_id: bytes
) -> list[RecoveryCode]:
    known = manifests.present(session, keys, Name.FACTORS).rows
    found = []
    for row in _rows(session, officer_id):
        try:
            check(keys, row)
        except NotAuthentic:
            continue
        if manifests.name_of(_row(row)) in known:
            found.append(row)
    return found


def _word() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _grouped(word: str) -> str:
    return f"{word[: _LENGTH // 2]}-{word[_LENGTH // 2 :]}"


def _normal(text: str) -> str:
    return text.upper().translate(_READ_AS)


def _hash(secret: bytes, code: str) -> bytes:
    info = b"kentongan/1/recovery-code"
    key = HKDF(hashes.SHA256(), 32, None, info).derive(secret)
    return hmac.digest(key, _normal(code).encode(), "sha256")


def _row(row: RecoveryCode) -> bytes:
    return encode(b"recovery-code", row.officer, row.hash)


def _context(row: RecoveryCode) -> Context:
    return Context("recovery_codes", row.hash, "tag")
