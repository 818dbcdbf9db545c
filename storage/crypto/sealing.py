"""Seals: what only the holder of a secret key can open, and padding.

One suite: HPKE with MLKEM768_X25519, HKDF-SHA256 and AES-256-GCM. Public HPKE has no
associated data, so the context goes into ``info``. A pair's public half is 1,216 bytes
(ML-KEM 1,184 + X25519 32), its secret half 96 bytes (seed 64 + X25519 32). A seal costs
1,138 bytes more than its plaintext: two of header, 1,136 of HPKE.
"""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

VERSION = 1
HYBRID = 1
PUBLIC_BYTES = 1216
SECRET_BYTES = 96
_KEM_PUBLIC = 1184
_KEM_SEED = 64
_SIZES = (256, 1024, 4096, 16384)
_LEAST_SPACED = 512
_SUITE = hpke.Suite(
    hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM
)


class NotAuthentic(Exception):
    """The bytes were not written by us, were changed, or belong elsewhere: do not use them."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a blob lives; a blob moved to another place does not open.

    ``row`` and ``report`` are raw ids, ``generation`` is the key's, ``key`` names it.
    """

    table: str
    row: bytes
    column: str
    report: bytes = b""
    seq: int = 0
    generation: int = 0
    key: bytes = b""

    def encode(self) -> bytes:
        """Return the versioned, length-prefixed encoding used as AAD, info or MAC input."""
        return encode(
            b"kentongan/1",
            self.table.encode(),
            self.row,
            self.column.encode(),
            self.report,
            struct.pack(">QQB", self.seq, self.generation, HYBRID),
            self.key,
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A key pair as raw bytes."""

    public: bytes = field(repr=False)
    secret: bytes = field(repr=False)


def encode(*parts: bytes) -> bytes:
    """Join byte strings so that no two different lists give the same bytes."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def new_pair() -> Pair:
    """Make a fresh pair from the system's randomness."""
    kem = mlkem.MLKEM768PrivateKey.generate()
    curve = x25519.X25519PrivateKey.generate()
    return Pair(
        public=kem.public_key().public_bytes_raw()
        + curve.public_key().public_bytes_raw(),
        secret=kem.private_bytes_raw() + curve.private_bytes_raw(),
    )


def public_of(secret: bytes) -> bytes:
    """Return the public half that belongs to a secret half."""
    kem, curve = _halves(secret)
    return kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def seal(plaintext: bytes, public: bytes, context: Context) -> bytes:
    """Seal for whoever holds the secret half; ValueError if ``public`` is no key."""
    if len(public) != PUBLIC_BYTES:
        raise ValueError("a public key has 1,216 bytes")
    key = hpke.MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(public[:_KEM_PUBLIC]),
        x25519.X25519PublicKey.from_public_bytes(public[_KEM_PUBLIC:]),
    )
    header = bytes((VERSION, HYBRID))
    return header + _SUITE.encrypt(plaintext, key, info=header + context.encode())


def open_seal(blob: bytes, secret: bytes, context: Context) -> bytes:
    """Open a seal; raises NotAuthentic for a wrong key, another place or a changed blob."""
    header = blob[:2]
    if header != bytes((VERSION, HYBRID)) or len(secret) != SECRET_BYTES:
        raise NotAuthentic
    kem, curve = _halves(secret)
    try:
        return _SUITE.decrypt(
            blob[2:],
            hpke.MLKEM768X25519PrivateKey(kem, curve),
            info=header + context.encode(),
        )
    except InvalidTag as error:
        raise NotAuthentic from error


def seal_twice(plaintext: bytes, inner: bytes, outer: bytes, context: Context) -> bytes:
    """Seal to two holders, so that both are needed: first ``inner``, around it ``outer``."""
    return seal(seal(plaintext, inner, context), outer, context)


def pad(plaintext: bytes) -> bytes:
    """Hide the length: grow to 256, 1,024, 4,096, 16,384 bytes or a multiple of the last."""
    framed = struct.pack(">I", len(plaintext)) + plaintext
    largest = _SIZES[-1]
    size = next((size for size in _SIZES if len(framed) <= size), 0)
    if not size:
        size = -(-len(framed) // largest) * largest
    return framed.ljust(size, b"\0")


def unpad(padded: bytes) -> bytes:
    """Undo ``pad``; raises NotAuthentic for what it never made."""
    with as_written():
        (length,) = struct.unpack(">I", padded[:4])
    if length > len(padded) - 4:
        raise NotAuthentic
    return padded[4 : 4 + length]


def spaced(written: bytes) -> bytes:
    """Hide the length of JSON that lies under a key: spaces up to 512, 1,024, 2,048 … bytes.

    JSON may end in spaces, so whoever reads it need not know.
    """
    size = _LEAST_SPACED
    while size < len(written):
        size *= 2
    return written.ljust(size)


@contextmanager
def as_written() -> Iterator[None]:
    """Read what we wrote under a seal; another shape (another version's) is NotAuthentic.

    Nobody else can write there, but a row that raises anything else would be met again
    and again, and hold up its neighbours.
    """
    try:
        yield
    except (
        *(ArithmeticError, AttributeError, LookupError, RecursionError),
        *(TypeError, ValueError, struct.error),
    ) as error:
        raise NotAuthentic from error


def told(plain: bytes) -> dict[str, Any]:
    """Return the JSON object that stood under a seal; raises NotAuthentic."""
    with as_written():
        found = json.loads(plain)
        if isinstance(found, dict):
            return found
    raise NotAuthentic


def _halves(secret: bytes) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    return (
        mlkem.MLKEM768PrivateKey.from_seed_bytes(secret[:_KEM_SEED]),
        x25519.X25519PrivateKey.from_private_bytes(secret[_KEM_SEED:]),
    )
