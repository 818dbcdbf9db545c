"""What a passkey signs: bytes of this session and this act, good once, for five minutes."""

import hmac
import secrets
import struct
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.console.visit import Visit
from storage import conversations
from storage.crypto.sealing import encode
from storage.crypto.server_key import Purpose, ServerKeys

LIFE = timedelta(minutes=5)
_EXPIRES = struct.Struct(">Q")
_NONCE, _MAC = 16, 32


def make(visit: Visit, act: str) -> bytes:
    """Return a challenge for one act of this session."""
    nonce = secrets.token_bytes(_NONCE)
    expires = _EXPIRES.pack(int((visit.now + LIFE).timestamp()))
    keys = visit.console.office.keys
    return nonce + expires + _mac(keys, visit, act, nonce, expires)


def spend(
    session: Session, keys: ServerKeys, visit: Visit, act: str, challenge: bytes
) -> bool:
    """Tell whether a challenge is ours, for this act, in time and unused; use it up."""
    nonce, rest = challenge[:_NONCE], challenge[_NONCE:]
    expires, mac = rest[: _EXPIRES.size], rest[_EXPIRES.size :]
    if len(mac) != _MAC:
        return False
    if not hmac.compare_digest(mac, _mac(keys, visit, act, nonce, expires)):
        return False
    if not _in_time(visit.now, expires):
        return False
    day = visit.console.office.day(visit.now)
    return conversations.first_time(session, keys, f"challenge {mac.hex()}", day=day)


def _in_time(now: datetime, expires: bytes) -> bool:
    (end,) = _EXPIRES.unpack(expires)
    return now.timestamp() < float(end)


def _mac(
    keys: ServerKeys, visit: Visit, act: str, nonce: bytes, expires: bytes
) -> bytes:
    name = visit.arrived.name
    content = encode(b"challenge", act.encode(), name, nonce, expires)
    return keys.look_up(Purpose.PASSKEY, content)
