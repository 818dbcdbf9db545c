"""The server key: sub-keys per purpose, look-ups, tags and short-lived encryption.

The key lies in a file, the environment or a credential, never in the database. It opens
what waits to be sent and open conversations; it opens no report. Several ids may verify
and open; new writes use the newest.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.crypto.sealing import Context, NotAuthentic, encode

KEY_BYTES = 32
_SALT = 16
_VERSION = 1
_NONCE = bytes(12)
_HEAD = 2
_LAST_ID = 255
_RESTORE = "restore your copy of it, never make a new one"


class Purpose(StrEnum):
    """What a sub-key is for; each purpose has a key of its own."""

    TAG = "tag"
    INBOX = "inbox"
    HANDLE = "handle"
    ORDER = "order"
    SUBSCRIBER = "subscriber"
    SUBSCRIPTION_CASE = "subscription-case"
    PROVIDER = "provider"
    OFFICER_HANDLE = "officer-handle"
    CONVERSATION = "conversation"
    SUBSCRIPTION = "subscription"
    OUTBOX = "outbox"
    JOB = "job"
    DRAFT_GRANT = "draft-grant"
    FIGURES = "figures"
    OFFICER_LINK = "officer-link"
    INVITATION = "invitation"
    SESSION = "session"
    DEVICE = "device"
    PASSKEY = "passkey"
    PEPPER_OFFICER = "pepper-officer"
    PEPPER_RECEIPT = "pepper-receipt"
    HISTORY = "history"
    AUDIT = "audit"
    BACKUP = "backup"


class BadServerKey(Exception):
    """The server key cannot be used; make one with ``kentongan init`` or restore yours."""


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """The server's key ring: id (1..255) to 32 bytes; the largest id is the newest."""

    ring: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make a ring with one fresh key."""
        return cls({1: secrets.token_bytes(KEY_BYTES)})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read lines ``id:base64``; raises BadServerKey for anything else."""
        ring: dict[int, bytes] = {}
        try:
            for line in text.split():
                number, _, value = line.partition(":")
                key_id, key = int(number), base64.b64decode(value, validate=True)
                if key_id in ring:
                    raise BadServerKey(
                        f"the server key has two lines {key_id}; {_RESTORE}"
                    )
                ring[key_id] = key
        except ValueError:
            raise BadServerKey(
                f"the server key is no list of lines of the form 1:BASE64; {_RESTORE}"
            ) from None
        if not ring or any(
            not 0 < i <= _LAST_ID or len(k) != KEY_BYTES for i, k in ring.items()
        ):
            raise BadServerKey(
                f"a server key has 32 bytes and an id from 1 to 255; {_RESTORE}"
            )
        return cls(ring)

    def with_new(self) -> Self:
        """Return the ring with one more key, which becomes the newest. Raises BadServerKey."""
        if self.newest == _LAST_ID:
            raise BadServerKey("the server key has no free id left above its newest")
        return type(self)(
            {**self.ring, self.newest + 1: secrets.token_bytes(KEY_BYTES)}
        )

    def without(self, key_id: int) -> Self:
        """Return the ring without one key."""
        return type(self)({i: k for i, k in self.ring.items() if i != key_id})

    def to_text(self) -> str:
        """Return what ``from_text`` reads."""
        return "".join(
            f"{i}:{base64.b64encode(k).decode()}\n" for i, k in self.ring.items()
        )

    @property
    def newest(self) -> int:
        """Return the id that new writes use."""
        return max(self.ring)

    def sub_key(self, purpose: Purpose, key_id: int = 0) -> bytes:
        """Derive the 32-byte key of one purpose (``key_id`` 0: the newest)."""
        key = self.ring.get(key_id or self.newest)
        if key is None:
            raise NotAuthentic
        return _derive(key, b"kentongan/1/" + purpose.encode())

    def look_up(self, purpose: Purpose, *values: str | bytes) -> bytes:
        """Return the 32-byte keyed name of something that must be found but not read."""
        return self._name(purpose, 0, values)

    def look_ups(self, purpose: Purpose, *values: str | bytes) -> tuple[bytes, ...]:
        """Return the names under every id, the newest first.

        For what outlives a rotation and cannot be named anew, because the store does not
        hold what was named.
        """
        return tuple(
            self._name(purpose, key_id, values)
            for key_id in sorted(self.ring, reverse=True)
        )

    def tag(self, context: Context, content: bytes) -> bytes:
        """Return the 33-byte detached tag (key id, HMAC) that proves we wrote this here."""
        return bytes((self.newest,)) + self._mac(self.newest, context, content)

    def check_tag(self, tag: bytes, context: Context, content: bytes) -> None:
        """Raise NotAuthentic unless ``tag`` was made by us for this place and content."""
        # Id 0 means the newest to ``sub_key``; no tag of ours begins with it.
        if not (tag and tag[0]) or not hmac.compare_digest(
            tag[1:], self._mac(tag[0], context, content)
        ):
            raise NotAuthentic

    def lock(self, purpose: Purpose, plaintext: bytes, context: Context) -> bytes:
        """Encrypt for the server itself, with a key of its own for this blob."""
        salt = secrets.token_bytes(_SALT)
        head = bytes((_VERSION, self.newest))
        box = AESGCM(_derive(self.sub_key(purpose), b"blob", salt))
        return head + salt + box.encrypt(_NONCE, plaintext, head + context.encode())

    def unlock(self, purpose: Purpose, blob: bytes, context: Context) -> bytes:
        """Undo ``lock``; raises NotAuthentic."""
        head, salt, body = (
            blob[:_HEAD],
            blob[_HEAD : _HEAD + _SALT],
            blob[_HEAD + _SALT :],
        )
        if len(head) < _HEAD or head[0] != _VERSION:
            raise NotAuthentic
        box = AESGCM(_derive(self.sub_key(purpose, head[1]), b"blob", salt))
        try:
            return box.decrypt(_NONCE, body, head + context.encode())
        except InvalidTag as error:
            raise NotAuthentic from error

    def relock(
        self,
        purpose: Purpose,
        blob: bytes,
        context: Context,
        to: Context | None = None,
    ) -> bytes:
        """Encrypt again under the newest id, for the same place or another. Raises NotAuthentic."""
        return self.lock(purpose, self.unlock(purpose, blob, context), to or context)

    def _name(
        self, purpose: Purpose, key_id: int, values: Sequence[str | bytes]
    ) -> bytes:
        parts = [
            v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v
            for v in values
        ]
        return hmac.digest(self.sub_key(purpose, key_id), encode(*parts), "sha256")

    def _mac(self, key_id: int, context: Context, content: bytes) -> bytes:
        key = self.sub_key(Purpose.TAG, key_id)
        return hmac.digest(key, encode(context.encode(), content), "sha256")


def lock_with(key: bytes, plaintext: bytes, context: Context) -> bytes:
    """Encrypt under a 32-byte key that is used for this blob only."""
    return AESGCM(key).encrypt(_NONCE, plaintext, context.encode())


def unlock_with(key: bytes, blob: bytes, context: Context) -> bytes:
    """Undo ``lock_with``; raises NotAuthentic for a wrong key or another place."""
    try:
        return AESGCM(key).decrypt(_NONCE, blob, context.encode())
    except InvalidTag as error:
        raise NotAuthentic from error


def passphrase_key(
    keys: ServerKeys, passphrase: str, salt: bytes, key_id: int = 0
) -> bytes:
    """Turn a passphrase into a key: Argon2id 64 MiB, t=3, one lane, then the pepper.

    Slow by design (tenths of a second): never in a transaction or on the loop.
    """
    slow = Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=64 * 1024)
    stretched = slow.derive(passphrase.encode("utf-8", "surrogatepass"))
    return _derive(
        stretched, b"passphrase", keys.sub_key(Purpose.PEPPER_OFFICER, key_id)
    )


def receipt_key(
    keys: ServerKeys, number: str, code: str, salt: bytes, key_id: int = 0
) -> bytes:
    """Turn a receipt into a key: Argon2id 19 MiB, t=2, one lane, then the pepper.

    Slow by design (tens of milliseconds): never in a transaction or on the loop.
    """
    slow = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19 * 1024)
    stretched = slow.derive(encode(code.encode(), number.encode()))
    return _derive(stretched, b"receipt", keys.sub_key(Purpose.PEPPER_RECEIPT, key_id))


@cache
def _cached(key: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(key)


def _derive(key: bytes, info: bytes, salt: bytes | None = None) -> bytes:
    if salt is None:
        return _cached(key, info)
    return HKDF(hashes.SHA256(), KEY_BYTES, salt, info).derive(key)
