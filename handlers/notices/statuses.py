"""What became of a letter, as its provider tells later; never backwards."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handlers.notices import undelivered
from handlers.work import Work
from storage import conversations
from storage.jobs import jobs
from storage.letters import sent
from storage.letters.letter import Letter
from storage.words import Channel, JobKind, LetterKind

LOOKED_FOR = timedelta(minutes=20)
"""Longer than delivery asks a provider whether it has a letter of doubtful end."""

RECEIPT_LIES = timedelta(minutes=5)
"""How long a receipt's copy may lie at a provider whose statuses do not come."""


@dataclass(frozen=True, slots=True)
class News:
    """A status. ``rank`` grows; ``left`` once the provider has passed the letter on.

    ``unreachable`` is a code when the person is gone, ``failed`` one when the letter did
    not arrive for another reason: because the 24 h window was ``closed``, or so that
    trying ``again`` may help.
    """

    channel: Channel
    provider_id: str = field(repr=False)
    rank: int
    final: bool
    unreachable: str = ""
    failed: str = ""
    closed: bool = False
    again: bool = False
    left: bool = False


def apply(work: Work, news: News) -> bool:
    """Apply a status once; False for a repeat, an older status or an unknown letter.

    At the terminal status the row goes, and the provider's copy is to be erased; that of a
    receipt, which holds number and code, as soon as the letter left.
    """
    letter = sent.status(
        work.store, work.keys, news.channel, news.provider_id, news.rank
    )
    if letter is None:
        return False
    if news.unreachable:
        undelivered.record_unreachable(work, letter, reason=news.unreachable)
    elif news.failed:
        undelivered.did_not_arrive(
            work, letter, reason=news.failed, closed=news.closed, again=news.again
        )
    if news.final:
        sent.drop(work.store, work.keys, news.channel, news.provider_id, now=work.now)
    if news.final or (news.left and letter.kind is LetterKind.RECEIPT):
        erase_copy(work, news.channel, news.provider_id)
    return True


def taken(work: Work, letter: Letter, provider_id: str) -> None:
    """Owe the erasure of a receipt's copy in minutes, whether or not a status ever comes.

    While Twilio has not passed the message on it refuses, and is asked again.
    """
    if letter.kind is LetterKind.RECEIPT and provider_id:
        erase_copy(work, letter.channel, provider_id, due=work.now + RECEIPT_LIES)


def lost(work: Work, news: News) -> bool:
    """Owe the erasure of a copy whose letter we never tied to its id; once for each id.

    The answer to our request was lost. The copy stays while the letter may be looked for.
    """
    mark = f"erase.{news.provider_id}"
    if not conversations.first_seen(
        work.store, work.keys, news.channel, mark, day=work.day
    ):
        return False
    erase_copy(work, news.channel, news.provider_id, due=work.now + LOOKED_FOR)
    return True


def no_more_to_come(work: Work) -> int:
    """Owe the erasure of letters whose last status never came; returns how many.

    Some operators never tell the end of a message; its copy must go all the same.
    """
    expired = sent.drop_expired(work.store, work.keys, now=work.now)
    for channel, provider_id in expired:
        erase_copy(work, channel, provider_id)
    return len(expired)


def erase_copy(
    work: Work, channel: Channel, provider_id: str, *, due: datetime | None = None
) -> None:
    """Owe the erasure of a provider's copy, where this installation wants it."""
    if work.office.erase_copies and channel is not Channel.TELEGRAM:
        copy = {"channel": channel.value, "id": provider_id}
        jobs.put(
            work.store,
            work.keys,
            JobKind.ERASE,
            copy,
            now=work.now,
            due=due,
            once=f"{channel}.{provider_id}",
        )
