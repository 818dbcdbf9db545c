"""What goes by itself: drafts, conversations, remembered ids, letters, sessions."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from handlers.conversation import clean_chat
from handlers.conversation.memory import DRAFT_LIFE, WARN_BEFORE, Memory
from handlers.dialogue import State
from handlers.messages import Reply
from handlers.notices import reporters, statuses, undelivered
from handlers.office import Office
from handlers.reveals import ending as reveal_ends
from storage import conversations, outbox
from storage.cases import reports
from storage.crypto.sealing import NotAuthentic
from storage.models import Conversation, Draft, Quarantine
from storage.people import invitations, sessions, telegram_links
from storage.retention import tombstones

_AT_ONCE = 500
"""People whose conversations one purge locks; the next minute brings the next."""


def purge(session: Session, office: Office, *, now: datetime) -> int:
    """Delete what has outlived its rule; returns how many drafts went."""
    gone = _purge_conversations(session, office, now)
    gone += _drop_orphans(session, office, now)
    lives, today = office.rulebook.lifetimes, office.day(now)
    conversations.drop_inbox(session, before=today - lives.days("inbox"))
    undelivered.expired(session, office, now=now)
    outbox.drop_expired(session, now=now)
    statuses.no_more_to_come(session, office, now=now)
    sessions.purge(session, now=now)
    telegram_links.purge(session, now=now)
    invitations.purge(session, now=now)
    old = today - lives.days("quarantine")
    session.connection().execute(delete(Quarantine).where(col(Quarantine.day) < old))
    tombstones.drop(session, before=today - office.backups - lives.days("tombstones"))
    reveal_ends.purge(session, office, now=now)
    return gone


def warn_of_expiry(session: Session, office: Office, *, now: datetime) -> int:
    """Tell people whose draft goes within 3 hours, once; returns how many."""
    told = 0
    for row, memory in _with_draft(session, office, now):
        if memory.warned or memory.draft_ends() - now > WARN_BEFORE:
            continue
        language = office.language(State.from_json(memory.state).language)
        hours = max(1, round((memory.draft_ends() - now).total_seconds() / 3600))
        reporters.say(
            session,
            office,
            Reply("X06W", {"n": str(hours)}),
            channel=memory.channel,
            to=memory.handle,
            language=language,
            heard=memory.heard or memory.last_inbound,
            now=now,
        )
        memory.warned = True
        conversations.save(
            session,
            office.keys,
            [row.handle],
            memory.to_bytes(),
            expires=memory.draft_ends(),
        )
        told += 1
    return told


def _with_draft(
    session: Session, office: Office, now: datetime
) -> Iterator[tuple[Conversation, Memory]]:
    soon = now + WARN_BEFORE + timedelta(hours=1)
    ending = conversations.expired(session, now=soon)
    due = [row for row in ending if _has_draft(_read(office, row), now)]
    for row in conversations.hold(session, due[:_AT_ONCE]):
        memory = _read(office, row)
        if memory is not None and _has_draft(memory, now):
            yield row, memory


def _purge_conversations(session: Session, office: Office, now: datetime) -> int:
    """Delete conversations that are over; from others take the case that was opened.

    A row is looked at again once no message of its person can be under way.
    """
    due = [row for row in conversations.everyone(session) if _is_due(office, row, now)]
    gone = 0
    for row in conversations.hold(session, due[:_AT_ONCE]):
        memory = _read(office, row)
        if _is_over(row, memory, now):
            if memory is not None and memory.report:
                gone += reports.discard(session, bytes.fromhex(memory.report))
            _end(session, office, row, memory, now)
        elif memory is not None and memory.case_over(now):
            _forget_case(session, office, row, memory)
    return gone


def _end(
    session: Session,
    office: Office,
    row: Conversation,
    memory: Memory | None,
    now: datetime,
) -> None:
    """Delete a conversation; what a clean chat may still want stays while it can be had."""
    rest = memory.bare() if memory is not None else None
    if rest is None:
        session.delete(row)
        return
    rest.trail = rest.trail.living(now)
    if rest.trail:
        conversations.save(
            session, office.keys, [row.handle], rest.to_bytes(), expires=rest.ends
        )
        return
    if rest.sweep is not None:
        left = max(1, rest.sweep.left + rest.trail.lost)
        clean_chat.tell_left(session, office, rest, left, now=now)
    session.delete(row)


def _forget_case(
    session: Session, office: Office, row: Conversation, memory: Memory
) -> None:
    memory.forget_case()
    if memory.is_empty():
        session.delete(row)
        return
    conversations.save(
        session, office.keys, [row.handle], memory.to_bytes(), expires=memory.ends
    )


def _drop_orphans(session: Session, office: Office, now: datetime) -> int:
    """Delete drafts that no conversation leads to any more; returns how many.

    The drafts are read first: each of them was committed with its conversation.
    """
    before = office.day(now - 2 * DRAFT_LIFE)
    old = session.exec(select(Draft.report).where(col(Draft.day) < before)).all()
    if not old:
        return 0
    memories = (_read(office, row) for row in conversations.everyone(session))
    named = {memory.report for memory in memories if memory is not None}
    return sum(
        reports.discard(session, report) for report in old if report.hex() not in named
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
