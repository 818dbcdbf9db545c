"""Public halves of the offline recovery pairs: ``cases`` and ``identities``.

Their secrets lie with two holders on paper; a unit's secret is sealed to them at birth.
"""

import secrets

from sqlmodel import Session, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import PUBLIC_BYTES, Context, encode
from storage.crypto.server_key import ServerKeys
from storage.models import RecoveryKey
from storage.words import UnitKind

PURPOSE = {UnitKind.HANDLING: "cases", UnitKind.VAULT: "identities"}
"""Which offline key opens the secret of which kind of unit."""


class RecoveryMissing(Exception):
    """No recovery key is stored for this unit; give ``init --recovery-public`` first."""


class RecoveryRefused(Exception):
    """A recovery key is one of two, ``cases`` or ``identities``, has 1,216 bytes, and stays."""


def add_recovery(
    session: Session, keys: ServerKeys, purpose: str, public: bytes
) -> RecoveryKey:
    """Store the public half of an offline pair. Raises RecoveryRefused."""
    if purpose not in PURPOSE.values() or len(public) != PUBLIC_BYTES:
        raise RecoveryRefused
    if _row(session, purpose) is not None:
        raise RecoveryRefused
    return _put(session, keys, purpose, public)


def replace(
    session: Session, keys: ServerKeys, purpose: str, public: bytes
) -> tuple[RecoveryKey, RecoveryKey]:
    """Put the public half of a new offline pair in the place of the old one: (old, new).

    The old row counts no more, even put back. Raises RecoveryMissing, RecoveryRefused,
    NotAuthentic.
    """
    if len(public) != PUBLIC_BYTES:
        raise RecoveryRefused
    old = _checked(session, keys, _row(session, purpose))
    if _is_listed(session, keys, purpose):
        out = [_listed(purpose), _entry(old)]
        manifests.change(session, keys, Name.PEOPLE, out=out)
    session.delete(old)
    session.flush()
    return old, _put(session, keys, purpose, public)


def _put(
    session: Session, keys: ServerKeys, purpose: str, public: bytes
) -> RecoveryKey:
    row = RecoveryKey(
        id=secrets.token_bytes(16), purpose=purpose, public_key=public, tag=b""
    )
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()
    into = [_listed(purpose), _entry(row)]
    manifests.change(session, keys, Name.PEOPLE, into=into)
    return row


def key_for(session: Session, keys: ServerKeys, kind: UnitKind) -> RecoveryKey:
    """Return the key for a kind of unit. Raises RecoveryMissing, NotAuthentic."""
    return _checked(session, keys, _row(session, PURPOSE[kind]))


def _checked(
    session: Session, keys: ServerKeys, row: RecoveryKey | None
) -> RecoveryKey:
    if row is None:
        raise RecoveryMissing
    check(keys, row)
    if _is_listed(session, keys, row.purpose):
        manifests.require(session, keys, Name.PEOPLE, _entry(row))
    return row


def _is_listed(session: Session, keys: ServerKeys, purpose: str) -> bool:
    """Tell whether the list names a key of this purpose; houses of old name none."""
    known = manifests.present(session, keys, Name.PEOPLE).rows
    return manifests.name_of(_listed(purpose)) in known


def _listed(purpose: str) -> bytes:
    return encode(b"has-recovery", purpose.encode())


def _entry(row: RecoveryKey) -> bytes:
    return encode(b"recovery", row.id, _content(row))


def check(keys: ServerKeys, row: RecoveryKey) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row), _content(row))


def _row(session: Session, purpose: str) -> RecoveryKey | None:
    return session.exec(
        select(RecoveryKey).where(RecoveryKey.purpose == purpose)
    ).first()


def _context(row: RecoveryKey) -> Context:
    return Context("recovery_keys", row.id, "tag")


def _content(row: RecoveryKey) -> bytes:
    return encode(row.purpose.encode(), row.public_key)
