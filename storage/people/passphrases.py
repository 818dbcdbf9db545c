"""A secret key guarded by a passphrase: made, wrapped, opened. All slow.

Argon2id and the server key's pepper make the key of the wrap: neither the database nor
the passphrase opens it alone.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field

from storage.crypto import server_key
from storage.crypto.sealing import Context
from storage.crypto.server_key import ServerKeys

LEAST = 16
WORDS = 6
_SALT = 16
_CONSONANTS = "bdfghjklmnprst"
_VOWELS = "aeiou"


class PassphraseTooShort(Exception):
    """A passphrase has at least 16 characters; let the program make one for you."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret key under a passphrase: the salt, and the wrap behind its key's id."""

    salt: bytes = field(repr=False)
    secret: bytes = field(repr=False)


def new() -> str:
    """Make six pronounceable words, 73 bits from the system's randomness."""
    return " ".join(
        "".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(2))
        for _ in range(WORDS)
    )


def wrap(keys: ServerKeys, officer: bytes, secret: bytes, passphrase: str) -> Wrapped:
    """Wrap the secret key of this account (slow). Raises PassphraseTooShort."""
    if len(_normal(passphrase)) < LEAST:
        raise PassphraseTooShort
    salt = secrets.token_bytes(_SALT)
    key = server_key.passphrase_key(keys, _normal(passphrase), salt)
    box = server_key.lock_with(key, secret, _context(officer))
    return Wrapped(salt, bytes((keys.newest,)) + box)


def unwrap(
    keys: ServerKeys, officer: bytes, wrapped: Wrapped, passphrase: str
) -> bytes:
    """Return the secret key (slow). Raises NotAuthentic for a wrong passphrase."""
    key_id, box = wrapped.secret[:1], wrapped.secret[1:]
    pepper = key_id[0] if key_id and key_id[0] in keys.ring else 0
    key = server_key.passphrase_key(keys, _normal(passphrase), wrapped.salt, pepper)
    return server_key.unlock_with(key, box, _context(officer))


def _normal(passphrase: str) -> str:
    return unicodedata.normalize("NFC", passphrase.strip())


def _context(officer: bytes) -> Context:
    return Context("officers", officer, "secret")
