"""Confirmations: accounts without a unit that wait until somebody has compared their words.

No row holds it: the list of people names who waits, so an account that was never named
there (made at the machine itself) waits for nobody, and a list put back confirms nobody.
"""

from sqlmodel import Session

from storage.audit import manifests
from storage.audit.manifests import Name, name_of
from storage.crypto.sealing import encode
from storage.crypto.server_key import ServerKeys
from storage.models import Officer
from storage.people import officers


class NotUnconfirmed(Exception):
    """The account is confirmed already, has ended, or never waited."""


def let_wait(session: Session, keys: ServerKeys, officer: Officer) -> None:
    """Let a new account open nothing until it is confirmed."""
    manifests.change(session, keys, Name.PEOPLE, into=[unconfirmed(officer.id)])


def is_waiting(session: Session, keys: ServerKeys, officer: bytes) -> bool:
    """Tell whether an account still waits to be confirmed. Raises NotAuthentic."""
    known = manifests.present(session, keys, Name.PEOPLE).rows
    return name_of(unconfirmed(officer)) in known


def waiting(session: Session, keys: ServerKeys) -> list[Officer]:
    """Return the active accounts that wait, each checked, by login."""
    return [
        officer
        for officer in officers.everyone(session)
        if officer.active
        and is_waiting(session, keys, officer.id)
        and officers.counts(session, keys, officer)
    ]


def drop(session: Session, keys: ServerKeys, officer: bytes) -> None:
    """Let an account wait no more: confirmed, or ended. Who does not wait is no error."""
    if is_waiting(session, keys, officer):
        manifests.change(session, keys, Name.PEOPLE, out=[unconfirmed(officer)])


def unconfirmed(officer: bytes) -> bytes:
    """Return a waiting account as the list of people names it."""
    return encode(b"unconfirmed", officer)
