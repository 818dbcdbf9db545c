"""Passkeys: a second factor beside the passphrase, never in its place.

A row is found by the keyed name of its credential; what the browser gave is encrypted
under the server key, because it has to be read before anybody has proved anything. The
list of factors (``manifests``) knows which ones count.
"""

import base64
import json
from dataclasses import dataclass, field, replace

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import Passkey as Row

MOST = 10
"""Passkeys that one officer may have."""
_LABEL = 60


class KnownAlready(Exception):
    """Somebody uses the passkey already; use it, or remove it first."""


class TooMany(Exception):
    """An officer has at most ten passkeys; remove one that is not used."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One authenticator: its credential, and how often it says it was used."""

    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    count: int
    label: str
    transports: tuple[str, ...] = ()
    name: bytes = field(default=b"", repr=False)
    """The row's name."""


def add(session: Session, keys: ServerKeys, officer_id: bytes, new: Passkey) -> None:
    """Store a passkey. Raises KnownAlready, TooMany."""
    if len(of_officer(session, keys, officer_id)) >= MOST:
        raise TooMany
    name = _name(keys, new.credential)
    if session.get(Row, name) is not None:
        raise KnownAlready
    row = Row(name=name, officer=officer_id, blob=b"", tag=b"")
    kept = replace(new, name=name, label=new.label.strip()[:_LABEL])
    _fill(keys, row, kept)
    session.add(row)
    session.flush()
    into = [_counted(officer_id, kept)]
    manifests.change(session, keys, Name.FACTORS, into=into)


def of_officer(session: Session, keys: ServerKeys, officer_id: bytes) -> list[Passkey]:
    """Return the passkeys of an officer that count, by their label."""
    rows = session.exec(select(Row).where(col(Row.officer) == officer_id))
    found = []
    for row in rows:
        try:
            found.append(_opened(session, keys, row))
        except NotAuthentic:
            continue
    return sorted(found, key=lambda passkey: (passkey.label, passkey.name))


def hold(
    session: Session, keys: ServerKeys, officer_id: bytes, credential: bytes
) -> Passkey | None:
    """Lock and return an officer's passkey, None if it is not theirs. Raises NotAuthentic."""
    row = session.get(
        Row, _name(keys, credential), with_for_update=True, populate_existing=True
    )
    if row is None or row.officer != officer_id:
        return None
    return _opened(session, keys, row)


def used(
    session: Session, keys: ServerKeys, officer_id: bytes, passkey: Passkey, count: int
) -> None:
    """Remember how often a passkey says that it was used."""
    row = session.get(Row, passkey.name)
    if row is not None and row.officer == officer_id:
        _fill(keys, row, replace(passkey, count=count))
        session.add(row)
        session.flush()


def remove(session: Session, keys: ServerKeys, officer_id: bytes, name: bytes) -> bool:
    """Delete a passkey of this officer; False for one that is not theirs."""
    row = session.get(Row, name, with_for_update=True, populate_existing=True)
    if row is None or row.officer != officer_id:
        return False
    try:
        out = [_counted(officer_id, _opened(session, keys, row))]
    except NotAuthentic:
        out = []
    session.delete(row)
    session.flush()
    manifests.change(session, keys, Name.FACTORS, out=out)
    return True


def forget(session: Session, keys: ServerKeys, officer_id: bytes) -> None:
    """Delete all passkeys of an account."""
    for row in session.exec(select(Row).where(col(Row.officer) == officer_id)).all():
        remove(session, keys, officer_id, row.name)


def rename(keys: ServerKeys, row: Row) -> None:
    """Write a row anew under the newest server key. Raises NotAuthentic."""
    passkey = _read(keys, row)
    row.name = _name(keys, passkey.credential)
    _fill(keys, row, passkey)


def _opened(session: Session, keys: ServerKeys, row: Row) -> Passkey:
    found = _read(keys, row)
    manifests.require(session, keys, Name.FACTORS, _counted(row.officer, found))
    return found


def _read(keys: ServerKeys, row: Row) -> Passkey:
    keys.check_tag(row.tag, _context(row, "tag"), _content(row))
    plain = json.loads(keys.unlock(Purpose.PASSKEY, row.blob, _context(row, "blob")))
    return Passkey(
        credential=base64.b64decode(plain["id"]),
        public_key=base64.b64decode(plain["key"]),
        count=plain["count"],
        label=plain["label"],
        transports=tuple(plain["transports"]),
        name=row.name,
    )


def _fill(keys: ServerKeys, row: Row, passkey: Passkey) -> None:
    plain = {
        "id": base64.b64encode(passkey.credential).decode(),
        "key": base64.b64encode(passkey.public_key).decode(),
        "count": passkey.count,
        "label": passkey.label,
        "transports": passkey.transports,
    }
    text = json.dumps(plain).encode()
    row.blob = keys.lock(Purpose.PASSKEY, text, _context(row, "blob"))
    row.tag = keys.tag(_context(row, "tag"), _content(row))


def _name(keys: ServerKeys, credential: bytes) -> bytes:
    return keys.look_up(Purpose.PASSKEY, credential)


def _counted(officer_id: bytes, passkey: Passkey) -> bytes:
    """Return what the list counts; the name changes with the server key and stays out."""
    return encode(b"passkey", officer_id, passkey.credential, passkey.public_key)


def _content(row: Row) -> bytes:
    return encode(row.officer, row.blob)


def _context(row: Row, column: str) -> Context:
    return Context("passkeys", row.name, column, key=row.officer)
