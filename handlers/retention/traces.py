"""Deletes what ends by itself: drafts, conversations, ids, letters, sessions, links."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from handlers.conversation import clean_chat
from handlers.conversation.memory import DRAFT_LIFE, WARN_BEFORE, Memory
from handlers.messages import Reply
from handlers.notices import reporters, statuses, undelivered
from handlers.office import Office
from handlers.reveals import ending as reveal_ends
from handlers.work import Work
from storage import conversations, outbox, quarantine
from storage.cases import reports
from storage.crypto.sealing import NotAuthentic
from storage.models import Conversation
from storage.people import invitations, sessions, telegram_links
from storage.retention import tombstones

_AT_ONCE = 500
"""People whose conversations one purge locks; the next minute brings the next."""


def purge(work: Work) -> int:
    """Delete what has outlived its rule; returns how many drafts went."""
    gone = _purge_conversations(work)
    gone += _drop_orphans(work)
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


def warn_of_expiry(work: Work) -> int:
    """Tell people whose draft goes within 3 hours, once; returns how many."""
    told = 0
    for row, memory in _with_draft(work):
        if memory.warned or memory.draft_ends() - work.now > WARN_BEFORE:
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


def _with_draft(work: Work) -> Iterator[tuple[Conversation, Memory]]:
    soon = work.now + WARN_BEFORE + timedelta(hours=1)
    ending = conversations.expired(work.store, now=soon)
    due = [row for row in ending if _has_draft(_read(work.office, row), work.now)]
    for row in conversations.hold(work.store, due[:_AT_ONCE]):
        memory = _read(work.office, row)
        if memory is not None and _has_draft(memory, work.now):
            yield row, memory


def _purge_conversations(work: Work) -> int:
    """Delete conversations that are over; from others take the case that was opened.

    A row is looked at again once no message of its person can be under way.
    """
    due = [
        row
        for row in conversations.everyone(work.store)
        if _is_due(work.office, row, work.now)
    ]
    gone = 0
    for row in conversations.hold(work.store, due[:_AT_ONCE]):
        memory = _read(work.office, row)
        if _is_over(row, memory, work.now):
            if memory is not None and memory.report:
                gone += reports.discard(work.store, bytes.fromhex(memory.report))
            _end(work, row, memory)
        elif memory is not None and memory.case_over(work.now):
            _forget_case(work, row, memory)
    return gone


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


def _drop_orphans(work: Work) -> int:
    """Delete drafts that no conversation leads to any more; returns how many.

    The drafts are read first: each of them was committed with its conversation.
    """
    before = work.office.day(work.now - 2 * DRAFT_LIFE)
    old = reports.drafts_of(work.store, before=before)
    if not old:
        return 0
    memories = (_read(work.office, row) for row in conversations.everyone(work.store))
    named = {memory.report for memory in memories if memory is not None}
    return sum(
        reports.discard(work.store, report)
        for report in old
        if report.hex() not in named
    )


def _is_over(row: Conversation, memory: Memory | None, now: datetime) -> bool:
    return conversations.is_over(row, now=now) and not _has_draft(memory, now)


def _has_draft(memory: Memory | None, now: datetime) -> bool:
    return memory is not None and bool(memory.report) and not memory.draft_over(now)


def _is_due(office: Office, row: Conversation, now: datetime) -> bool:
    memory = _read(office, row)
    opened = memory is not None and memory.case_over(now)
    return opened or _is_over(row, memory, now)


def _read(office: Office, row: Conversation) -> Memory | None:
    try:
        return Memory.from_bytes(conversations.read(office.keys, row))
    except (NotAuthentic, ValueError):
        return None
