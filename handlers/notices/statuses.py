"""What became of a letter, as its provider tells later; never backwards."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers.notices import undelivered
from handlers.office import Office
from storage import conversations
from storage.jobs import jobs
from storage.letters import sent
from storage.words import Channel, JobKind

LOOKED_FOR = timedelta(minutes=20)
"""Longer than delivery asks a provider whether it has a letter of doubtful end."""


@dataclass(frozen=True, slots=True)
class News:
    """A status. ``rank`` grows.

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


def apply(session: Session, office: Office, news: News, *, now: datetime) -> bool:
    """Apply a status once; False for a repeat, an older status or an unknown letter.

    At the terminal status the row goes, and the provider's copy is to be erased.
    """
    letter = sent.status(
        session, office.keys, news.channel, news.provider_id, news.rank
    )
    if letter is None:
        return False
    if news.unreachable:
        undelivered.record_unreachable(
            session, office, letter, reason=news.unreachable, now=now
        )
    elif news.failed:
        undelivered.did_not_arrive(
            session,
            office,
            letter,
            reason=news.failed,
            closed=news.closed,
            again=news.again,
            now=now,
        )
    if news.final:
        sent.drop(session, office.keys, news.channel, news.provider_id, now=now)
        erase_copy(session, office, news.channel, news.provider_id, now=now)
    return True


def lost(session: Session, office: Office, news: News, *, now: datetime) -> bool:
    """Owe the erasure of a copy whose letter we never tied to its id; once for each id.

    The answer to our request was lost. The copy stays while the letter may be looked for.
    """
    mark = f"erase.{news.provider_id}"
    if not conversations.first_seen(
        session, office.keys, news.channel, mark, day=office.day(now)
    ):
        return False
    erase_copy(
        session, office, news.channel, news.provider_id, now=now, due=now + LOOKED_FOR
    )
    return True


def no_more_to_come(session: Session, office: Office, *, now: datetime) -> int:
    """Owe the erasure of letters whose last status never came; returns how many.

    Some operators never tell the end of a message; its copy must go all the same.
    """
    expired = sent.drop_expired(session, office.keys, now=now)
    for channel, provider_id in expired:
        erase_copy(session, office, channel, provider_id, now=now)
    return len(expired)


def erase_copy(
    session: Session,
    office: Office,
    channel: Channel,
    provider_id: str,
    *,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Owe the erasure of a provider's copy, where this installation wants it."""
    if office.erase_copies and channel is not Channel.TELEGRAM:
        copy = {"channel": channel.value, "id": provider_id}
        jobs.put(session, office.keys, JobKind.ERASE, copy, now=now, due=due)
