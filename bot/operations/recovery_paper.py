"""A recovery secret as it is written on paper, and the public halves in a file.

Two offline pairs, for two holders: ``cases`` opens the units' secrets, ``identities`` the
vault's. On paper a secret is 40 groups of four letters of base32, the last ones a check.
"""

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256

from storage.crypto.sealing import PUBLIC_BYTES, SECRET_BYTES
from storage.units.recovery_keys import PURPOSE

PURPOSES = tuple(sorted(PURPOSE.values()))
_CHECK = 4
_GROUP = 4
_GROUPS_IN_LINE = 8
LINES = 6
"""A paper's first line and five of eight groups."""


class BadPaper(Exception):
    """No recovery secret, or a letter is wrong: compare it with the paper."""


class BadPublic(Exception):
    """The recovery keys cannot be read: make them with ``kentongan keys new-recovery``."""


def write_secret(purpose: str, secret: bytes) -> str:
    """Return a secret as lines for paper, the first one with its purpose."""
    letters = base64.b32encode(secret + _check(purpose, secret)).decode()
    groups = [letters[i : i + _GROUP] for i in range(0, len(letters), _GROUP)]
    lines = [
        " ".join(groups[i : i + _GROUPS_IN_LINE])
        for i in range(0, len(groups), _GROUPS_IN_LINE)
    ]
    return "\n".join([f"kentongan recovery {purpose}", *lines]) + "\n"


def read_secret(text: str) -> tuple[str, bytes]:
    """Return purpose and secret of what ``write_secret`` wrote. Raises BadPaper."""
    first, *rest = text.strip().splitlines() or [""]
    purpose = first.strip().rpartition(" ")[2].lower()
    try:
        whole = base64.b32decode("".join("".join(rest).split()).upper())
    except (binascii.Error, ValueError):
        raise BadPaper from None
    secret, check = whole[:-_CHECK], whole[-_CHECK:]
    if len(secret) != SECRET_BYTES or check != _check(purpose, secret):
        raise BadPaper
    return purpose, secret


def write_public(publics: Mapping[str, bytes]) -> str:
    """Return the public halves, one line ``purpose:base64`` each."""
    return "".join(
        f"{purpose}:{base64.b64encode(public).decode()}\n"
        for purpose, public in sorted(publics.items())
    )


def read_public(text: str) -> dict[str, bytes]:
    """Return the public halves of such lines. Raises BadPublic."""
    found: dict[str, bytes] = {}
    for row in text.split():
        purpose, _, value = row.partition(":")
        try:
            public = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise BadPublic from None
        if purpose not in PURPOSES or len(public) != PUBLIC_BYTES or purpose in found:
            raise BadPublic
        found[purpose] = public
    return found


def _check(purpose: str, secret: bytes) -> bytes:
    return sha256(b"kentongan/1/recovery " + purpose.encode() + secret).digest()[
        :_CHECK
    ]
