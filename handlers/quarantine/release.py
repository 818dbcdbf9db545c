"""Release from quarantine: a custodian reads a message, releases it, or drops it.

What nobody could understand is sealed to the vault. Its secret is opened in the session
of a custodian and nowhere else; each reading is a line of the log, with no name in it.
The log calls these acts ``aside.…``: what is written there is never renamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from handlers import authority, inbox
from handlers.cases.receipts import Opening
from handlers.errors import NotFound, ReasonNeeded
from handlers.inbox import Outcome
from handlers.messages import Incoming
from handlers.reveals import standing
from handlers.work import Work
from storage import conversations, quarantine
from storage.audit import log
from storage.cases import figures
from storage.crypto.sealing import NotAuthentic
from storage.models import Officer, Quarantine

DROPS: Final = ("SPAM", "TEST", "DOUBLE", "UNREADABLE")
"""Why a message may be dropped."""


class Became(StrEnum):
    """What became of a message that was released."""

    TAKEN = "taken"
    REPEAT = "repeat"
    NOTHING = "nothing"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message as a custodian opened it."""

    channel: str
    day: date
    reason: str
    raw: bytes = field(repr=False)


def read(work: Work, name: bytes, secret: bytes, *, by: bytes) -> Quarantined:
    """Open a message to a custodian, and write down that it was read.

    Raises NotFound, TwoPeopleNeeded, NotYours, NotAuthentic.
    """
    message = opened(work, name, secret, by=authority.present(work, by))
    figures.bump(work.store, "aside.opened", day=work.day)
    _record(work, "aside.opened", message.reason, by)
    return message


def opened(work: Work, name: bytes, secret: bytes, *, by: Officer) -> Quarantined:
    """Open a message for what follows at once; raises as ``read`` does."""
    authority.require_custodian(work, by)
    row = _get(work, name)
    for _, vault in standing.vault_secrets(work, by, secret):
        try:
            raw = quarantine.opened(row, vault)
        except NotAuthentic:
            continue
        return Quarantined(row.channel, row.day, row.reason, raw)
    raise NotAuthentic


def release(
    work: Work, name: bytes, found: Sequence[tuple[Incoming, Opening]], *, by: bytes
) -> Became:
    """Receive a message as if it had just come, in one transaction with its removal.

    ``found`` is what its bytes say now. A name that was used up when the message was kept
    is freed once; one under which it was taken meanwhile makes it a repeat. Raises what
    stumbles: then nothing is written (``failed``).
    """
    authority.require_custodian(work, authority.present(work, by))
    if not quarantine.remove(work.store, name):
        return Became.GONE
    became = Became.REPEAT if found else Became.NOTHING
    for incoming, opening in found:
        channel, provider_id = incoming.channel, incoming.provider_id
        conversations.release(work.store, work.keys, channel, provider_id)
        outcome = inbox.receive(work, incoming, opening)
        if outcome is Outcome.TAKEN:
            became = Became.TAKEN
    _record(work, "aside.again", became.value, by)
    return became


def failed(work: Work, name: bytes, reason: str, *, by: bytes) -> Became:
    """Keep a message on that failed again, with its new reason (a code)."""
    authority.require_custodian(work, authority.present(work, by))
    row = quarantine.get(work.store, work.keys, name, locked=True)
    if row is None:
        return Became.GONE
    quarantine.give_reason(work.store, work.keys, row, reason)
    _record(work, "aside.again", Became.FAILED.value, by)
    return Became.FAILED


def drop(work: Work, name: bytes, reason: str, *, by: bytes) -> bool:
    """Delete a message for good; ``reason`` is one of ``DROPS``. False if it was gone.

    Raises ReasonNeeded, TwoPeopleNeeded, NotYours.
    """
    authority.require_custodian(work, authority.present(work, by))
    if reason not in DROPS:
        raise ReasonNeeded
    if not quarantine.remove(work.store, name):
        return False
    _record(work, "aside.dropped", reason, by)
    return True


def _get(work: Work, name: bytes) -> Quarantine:
    row = quarantine.get(work.store, work.keys, name)
    if row is None:
        raise NotFound
    return row


def _record(work: Work, code: str, detail: str, by: bytes) -> None:
    log.record(work.store, work.keys, code, officer=by, detail=detail, now=work.now)
