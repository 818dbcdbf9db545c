"""The cookie of a console session: two random values, ``value.finder``.

The row is named by the hash of the finder; the value opens what lies in it. Forms carry
a token made from the value, so that only a page of the same session can post.
"""

import base64
import hmac
import secrets
from binascii import Error as NotBase64
from hashlib import sha256

from storage.crypto.sealing import NotAuthentic

_BYTES = 32


def new() -> str:
    """Make a cookie."""
    return ".".join(_text(secrets.token_bytes(_BYTES)) for _ in range(2))


def parse(cookie: str) -> tuple[bytes, bytes]:
    """Return the value and the name of the row. Raises NotAuthentic."""
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


def form_token(cookie: str) -> str:
    """Return the token that every form of this session carries against forged posts."""
    value, _ = parse(cookie)
    return _text(hmac.digest(value, b"kentongan/1/form", "sha256"))


def is_form_token(cookie: str, token: str) -> bool:
    """Tell in constant time whether a form came from this session's own page."""
    try:
        return hmac.compare_digest(form_token(cookie).encode(), token.encode())
    except (NotAuthentic, UnicodeEncodeError):
        return False


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
