"""Checking a passphrase: counted, slow, a few at a time, and never in a transaction."""

from contextlib import suppress
from datetime import datetime

from sqlmodel import Session

from bot.console.context import Hashers
from bot.console.visit import Visit
from storage.audit import log, manifests
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import Officer
from storage.people import officers, passphrases
from storage.people.passphrases import PassphraseTooShort, Wrapped

_WAIT_FOR_HASHER = 10.0
LONGEST = 1024
STATUS = {"slow": 429, "busy": 503, "wrong": 403}
"""What an answer with each reason of a refusal carries as its HTTP status."""


class Refused(Exception):
    """A passphrase was not taken: ``reason`` is a key of ``STATUS``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def status(self) -> int:
        """Return the HTTP status of the answer."""
        return STATUS[self.reason]


def opened(visit: Visit, login: str, passphrase: str) -> tuple[Officer, bytes]:
    """Return the account and its secret key (slow). Raises Refused.

    An unknown account takes the same time and gets the same answer as a wrong passphrase.
    """
    throttle, now, device = visit.console.throttle, visit.now, visit.device(login)
    if not throttle.begin(login, visit.address, device, now=now):
        raise Refused("slow")
    try:
        with Hashing(visit, login):
            found = _unwrapped(visit, login, passphrase[:LONGEST])
    except NotAuthentic:
        raise Refused("wrong") from None
    throttle.succeeded(login, visit.address, device, now=now)
    return found


def renew(visit: Visit, officer: Officer, secret: bytes, passphrase: str) -> None:
    """Let the newest server key guard a secret that an older one guards (slow).

    A crowd at the hashers puts it off until the next sign-in.
    """
    keys = visit.console.office.keys
    if officer.secret[:1] == bytes((keys.newest,)):
        return
    with suppress(Refused, PassphraseTooShort):
        with Hashing(visit, officer.login):
            wrapped = passphrases.wrap(keys, officer.id, secret, passphrase[:LONGEST])
        visit.write(_renewed, keys, officer, wrapped, visit.now)


def _renewed(
    session: Session, keys: ServerKeys, was: Officer, wrapped: Wrapped, now: datetime
) -> None:
    if officers.rewrap(session, keys, was, wrapped):
        log.record(session, keys, "keys.rewrapped", officer=was.id, now=now)
        manifests.witness(session, keys, now=now)


class Hashing:
    """A turn at the hashers, for an account if there is one. Raises Refused in a crowd."""

    def __init__(self, visit: Visit, login: str = "") -> None:
        console = visit.console
        known = login and visit.device(login)
        self._hashers = console.known_hashers if known else console.hashers

    def __enter__(self) -> None:
        """Wait a moment for a turn."""
        if not _wait_for_hasher(self._hashers):
            raise Refused("busy")

    def __exit__(self, *_: object) -> None:
        """Give the turn back."""
        self._hashers.turns.release()


def _wait_for_hasher(hashers: Hashers) -> bool:
    """Wait a moment for a free hasher; a crowd is sent away at once and holds no thread."""
    if not hashers.waiting.acquire(blocking=False):
        return False
    try:
        return hashers.turns.acquire(timeout=_WAIT_FOR_HASHER)
    finally:
        hashers.waiting.release()


def _unwrapped(visit: Visit, login: str, passphrase: str) -> tuple[Officer, bytes]:
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        try:
            officer = officers.find(session, keys, login)
        except NotAuthentic:
            officer = None
    secret = officers.unwrap(keys, officer, passphrase)
    if officer is None:
        raise NotAuthentic
    return officer, secret
