"""Deletes what ends by itself: drafts, conversations, ids, letters, sessions, links."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from handlers.conversation import clean_chat, exchange
from handlers.conversation.memory import DRAFT_LIFE, WARN_BEFORE, Memory
from handlers.messages import Reply
from handlers.notices import reporters, statuses, undelivered
from handlers.office import Office
from handlers.reveals import ending as reveal_ends
from handlers.work import Work
from storage import conversations, outbox, quarantine
from storage.cases import reports
from storage.crypto.sealing import NotAuthentic
from storage.jobs import jobs
from storage.models import Conversation
from storage.people import invitations, sessions, telegram_links
from storage.retention import tombstones
from storage.words import Channel, JobKind

_AT_ONCE: Final = 500
"""People whose conversations one purge locks; the next minute brings the next."""
_MOST_READ: Final = 5000
_HOUR: Final = 3600


def purge(work: Work) -> int:
    """Delete what has outlived its rule; returns how many drafts went."""
    gone = _purge_conversations(work)
    lives, today = work.office.rulebook.lifetimes, work.day
    conversations.drop_inbox(work.store, before=today - lives.days("inbox"))
    undelivered.expired(work)
    outbox.drop_expired(work.store, now=work.now)
    statuses.no_more_to_come(work)
    sessions.purge(work.store, now=work.now)
    telegram_links.purge(work.store, now=work.now)
    invitations.purge(work.store, now=work.now)
    quarantine.drop_old(work.store, before=today - lives.days("quarantine"))
    tombstones.drop(
        work.store, before=today - work.office.backups - lives.days("tombstones")
    )
    reveal_ends.purge(work)
    return gone


def to_be_warned(work: Work) -> list[list[bytes]]:
    """Return the names of people whose draft goes within 3 hours; only reads.

    They are looked for among what ends in the hour in which that comes, and the next.
    """
    last = int(work.now.timestamp() // _HOUR) + WARN_BEFORE // timedelta(hours=1) + 1
    ending = conversations.ending(work.store, hours=(last - 1, last), limit=_MOST_READ)
    due = [row for row in ending if _is_to_be_warned(work, row)]
    return [conversations.names_in(row) for row in due[:_AT_ONCE]]


def warn_of_expiry(work: Work) -> int:
    """Tell people whose draft goes within 3 hours, once; returns how many."""
    names = to_be_warned(work)
    told = 0
    for row in conversations.hold(work.store, names) if names else ():
        memory = _read(work.office, row)
        if memory is None or not _is_to_be_warned(work, row):
            continue
        language = work.office.language(memory.state.language)
        hours = max(1, round((memory.draft_ends() - work.now).total_seconds() / 3600))
        reporters.say(
            work,
            Reply("X06W", {"n": str(hours)}),
            channel=memory.channel,
            to=memory.handle,
            language=language,
            heard=memory.heard or memory.last_inbound,
        )
        memory.warned = True
        conversations.save(
            work.store,
            work.keys,
            [row.handle],
            memory.to_bytes(),
            expires=memory.draft_ends(),
        )
        told += 1
    return told


def _is_to_be_warned(work: Work, row: Conversation) -> bool:
    memory = _read(work.office, row)
    if memory is None or memory.warned or not _has_draft(memory, work.now):
        return False
    return memory.draft_ends() - work.now <= WARN_BEFORE


def _purge_conversations(work: Work) -> int:
    """Delete conversations that are over; from others take the case that was opened.

    Both are found by their time: rows by their hour, opened cases by a job. A row is looked
    at once no message of its person can be under way.
    """
    keys = work.keys
    opened = jobs.due(work.store, keys, JobKind.FORGET, limit=_AT_ONCE, now=work.now)
    names: list[Sequence[bytes]] = [
        conversations.names_of(keys, Channel(told["channel"]), told["handle"])
        for _, told in opened
        if "handle" in told
    ]
    over = conversations.expired(work.store, now=work.now, limit=_AT_ONCE)
    names += [conversations.names_in(row) for row in over]
    if not names and not opened:
        return 0
    gone = 0
    held = conversations.hold(work.store, names)
    jobs.drop(work.store, [name for name, _ in opened])
    for row in held:
        memory = _read(work.office, row)
        if _is_over(row, memory, work.now):
            if memory is not None and memory.report:
                gone += reports.discard(work.store, bytes.fromhex(memory.report))
            _end(work, row, memory)
        elif memory is not None and memory.case_over(work.now):
            _forget_case(work, row, memory)
        elif memory is not None:
            _look_again(work, row, memory)
    return gone


def _look_again(work: Work, row: Conversation, memory: Memory) -> None:
    """Let a row be found again when it is due: somebody wrote meanwhile."""
    exchange.forget_in_time(work, memory)
    if conversations.is_over(row, now=work.now):
        conversations.save(
            work.store,
            work.keys,
            [row.handle],
            memory.to_bytes(),
            expires=memory.draft_ends(),
        )


def _end(work: Work, row: Conversation, memory: Memory | None) -> None:
    """Delete a conversation; what a clean chat may still want stays while it can be had."""
    rest = memory.bare() if memory is not None else None
    if rest is None:
        conversations.drop(work.store, row)
        return
    rest.trail = rest.trail.living(work.now)
    if rest.trail:
        conversations.save(
            work.store, work.keys, [row.handle], rest.to_bytes(), expires=rest.ends
        )
        return
    if rest.sweep is not None:
        left = max(1, rest.sweep.left + rest.trail.lost)
        clean_chat.tell_left(work, rest, left)
    conversations.drop(work.store, row)


def _forget_case(work: Work, row: Conversation, memory: Memory) -> None:
    memory.forget_case()
    if memory.is_empty():
        conversations.drop(work.store, row)
        return
    conversations.save(
        work.store, work.keys, [row.handle], memory.to_bytes(), expires=memory.ends
    )


def orphans(work: Work) -> list[bytes]:
    """Return drafts of days ago that no conversation leads to any more; only reads.

    The drafts are read first: each of them was committed with its conversation. All
    conversations are read where a draft is that old, so the scheduler asks once an hour.
    """
    before = work.office.day(work.now - 2 * DRAFT_LIFE)
    old = reports.drafts_of(work.store, before=before)
    if not old:
        return []
    memories = (_read(work.office, row) for row in conversations.everyone(work.store))
    named = {memory.report for memory in memories if memory is not None}
    return [report for report in old if report.hex() not in named]


def drop_orphans(work: Work, found: Sequence[bytes]) -> int:
    """Delete what ``orphans`` found; no message can lead there again. Returns how many."""
    return sum(reports.discard(work.store, report) for report in found)


def _is_over(row: Conversation, memory: Memory | None, now: datetime) -> bool:
    return conversations.is_over(row, now=now) and not _has_draft(memory, now)


def _has_draft(memory: Memory | None, now: datetime) -> bool:
    return memory is not None and bool(memory.report) and not memory.draft_over(now)


def _read(office: Office, row: Conversation) -> Memory | None:
    try:
        return Memory.from_bytes(conversations.read(office.keys, row))
    except (NotAuthentic, ValueError):
        return None
