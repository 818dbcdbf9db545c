"""Messages set aside: a custodian reads one, lets it be taken in again, or drops it.

What nobody could understand is sealed to the vault. Its secret is opened in the session
of a custodian and nowhere else; each reading is a line of the log, with no name in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from handlers import inbox
from handlers.cases.receipts import Opening
from handlers.errors import NotFound, ReasonNeeded
from handlers.inbox import Outcome
from handlers.messages import Incoming
from handlers.office import Office
from handlers.people import joining
from handlers.reveals import standing
from storage import conversations, quarantine
from storage.audit import log
from storage.cases import figures
from storage.crypto.sealing import NotAuthentic
from storage.models import Officer, Quarantine

DROPS: Final = ("SPAM", "TEST", "DOUBLE", "UNREADABLE")
"""Why a message may be dropped."""


class Became(StrEnum):
    """What became of a message that was taken in again."""

    TAKEN = "taken"
    REPEAT = "repeat"
    NOTHING = "nothing"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as a custodian opened it."""

    channel: str
    day: date
    reason: str
    raw: bytes = field(repr=False)


def read(
    session: Session,
    office: Office,
    name: bytes,
    secret: bytes,
    *,
    by: bytes,
    now: datetime,
) -> Kept:
    """Open a message to a custodian, and write down that it was read.

    Raises NotFound, TwoPeopleNeeded, NotYours, NotAuthentic.
    """
    kept = opened(
        session, office, name, secret, by=joining.present(session, office, by)
    )
    figures.bump(session, "aside.opened", day=office.day(now))
    _record(session, office, "aside.opened", kept.reason, by, now)
    return kept


def opened(
    session: Session, office: Office, name: bytes, secret: bytes, *, by: Officer
) -> Kept:
    """Open a message for what follows at once; raises as ``read`` does."""
    standing.require_custodian(session, office, by)
    row = _get(session, office, name)
    for _, vault in standing.vault_secrets(session, office, by, secret):
        try:
            raw = quarantine.opened(row, vault)
        except NotAuthentic:
            continue
        return Kept(row.channel, row.day, row.reason, raw)
    raise NotAuthentic


def take(
    session: Session,
    office: Office,
    name: bytes,
    found: Sequence[tuple[Incoming, Opening]],
    *,
    by: bytes,
    now: datetime,
) -> Became:
    """Take a message in as if it had just come, in one transaction with its removal.

    ``found`` is what its bytes say now. A name that was used up when the message was set
    aside is freed once; one under which it was taken meanwhile makes it a repeat. Raises
    what stumbles: then nothing is written (``failed``).
    """
    standing.require_custodian(session, office, joining.present(session, office, by))
    if not quarantine.remove(session, name):
        return Became.GONE
    became = Became.REPEAT if found else Became.NOTHING
    for incoming, opening in found:
        channel, provider_id = incoming.channel, incoming.provider_id
        conversations.let_again(session, office.keys, channel, provider_id)
        outcome = inbox.receive(session, office, incoming, opening, now=now)
        if outcome is Outcome.TAKEN:
            became = Became.TAKEN
    _record(session, office, "aside.again", became.value, by, now)
    return became


def failed(
    session: Session,
    office: Office,
    name: bytes,
    reason: str,
    *,
    by: bytes,
    now: datetime,
) -> Became:
    """Keep a message that failed again, with its new reason (a code)."""
    standing.require_custodian(session, office, joining.present(session, office, by))
    row = quarantine.get(session, office.keys, name, locked=True)
    if row is None:
        return Became.GONE
    quarantine.give_reason(session, office.keys, row, reason)
    _record(session, office, "aside.again", Became.FAILED.value, by, now)
    return Became.FAILED


def drop(
    session: Session,
    office: Office,
    name: bytes,
    reason: str,
    *,
    by: bytes,
    now: datetime,
) -> bool:
    """Delete a message for good; ``reason`` is one of ``DROPS``. False if it was gone.

    Raises ReasonNeeded, TwoPeopleNeeded, NotYours.
    """
    standing.require_custodian(session, office, joining.present(session, office, by))
    if reason not in DROPS:
        raise ReasonNeeded
    if not quarantine.remove(session, name):
        return False
    _record(session, office, "aside.dropped", reason, by, now)
    return True


def _get(session: Session, office: Office, name: bytes) -> Quarantine:
    row = quarantine.get(session, office.keys, name)
    if row is None:
        raise NotFound
    return row


def _record(
    session: Session, office: Office, code: str, detail: str, by: bytes, now: datetime
) -> None:
    log.record(session, office.keys, code, officer=by, detail=detail, now=now)
