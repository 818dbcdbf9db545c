"""The mark of a browser in which an officer signed in before; it opens nothing.

It gives the browser a place of its own among the tries to sign in, so that whoever floods
the door shuts nobody out who came before. The cookie holds one mark for each officer who
used the browser, each locked under the server key: it names nobody, and nothing of it is
stored.
"""

import base64
import secrets
from binascii import Error as NotBase64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys

LASTS = timedelta(days=180)
"""Since the last sign-in in this browser."""
MOST = 4
"""Officers who share one browser; who was here longest ago is forgotten."""
LONGEST = 1024
"""Characters of a cookie of ours at most."""
_NAME, _UNTIL = 16, 8


def mark(keys: ServerKeys, marks: str, login: str, *, now: datetime) -> str:
    """Return the cookie with a mark for this account in front; others in it stay.

    A browser keeps its name, so that signing in often gives it no second place.
    """
    name = known(keys, marks, login, now=now) or secrets.token_bytes(_NAME)
    until = int((now + LASTS).timestamp()).to_bytes(_UNTIL)
    new = keys.lock(Purpose.DEVICE, name + until, _place(login))
    others = [blob for blob in _blobs(marks) if _opened(keys, blob, login) is None]
    return ".".join(_text(blob) for blob in (new, *others[: MOST - 1]))


def known(keys: ServerKeys, marks: str, login: str, *, now: datetime) -> bytes:
    """Return this browser's name with this account, b"" when nobody signed in here."""
    for blob in _blobs(marks):
        found = _opened(keys, blob, login)
        if found is None:
            continue
        until = datetime.fromtimestamp(int.from_bytes(found[_NAME:]), UTC)
        return found[:_NAME] if now < until else b""
    return b""


def _opened(keys: ServerKeys, blob: bytes, login: str) -> bytes | None:
    try:
        return keys.unlock(Purpose.DEVICE, blob, _place(login))
    except NotAuthentic:
        return None


def _place(login: str) -> Context:
    return Context("devices", login.encode("utf-8", "replace"), "mark")


def _blobs(marks: str) -> Iterator[bytes]:
    for part in marks[:LONGEST].split(".")[:MOST]:
        try:
            blob = base64.b64decode(part + "==", altchars=b"-_", validate=True)
        except (NotBase64, ValueError):
            continue
        if blob:
            yield blob


def _text(blob: bytes) -> str:
    return base64.urlsafe_b64encode(blob).decode().rstrip("=")
