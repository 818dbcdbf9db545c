"""What goes by itself: drafts, conversations, remembered ids, letters, sessions."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from handlers import notices
from handlers.dialogue import State
from handlers.memory import DRAFT_LIFE, WARN_BEFORE, Memory
from handlers.messages import Reply
from handlers.office import Office
from storage import conversations, jobs, links, outbox, reports, sessions
from storage.models import Conversation, Draft, Quarantine
from storage.sealing import NotAuthentic
from storage.words import JobKind

INBOX_LIFE = timedelta(days=7)
QUARANTINE_LIFE = timedelta(days=7)


def purge(session: Session, office: Office, *, now: datetime) -> int:
    """Delete what has outlived its rule; returns how many drafts went."""
    gone = 0
    for row in conversations.expired(session, now=now):
        memory = _read(office, row)
        if memory is not None and memory.report:
            if not memory.draft_over(now):
                continue
            reports.discard(session, bytes.fromhex(memory.report))
            gone += 1
        session.delete(row)
    _drop_orphans(session, office, now)
    conversations.drop_inbox(session, before=office.day(now) - INBOX_LIFE)
    outbox.drop_expired(session, now=now)
    for kind in JobKind:
        jobs.drop_expired(session, kind, now=now)
    sessions.purge(session, now=now)
    links.purge(session, now=now)
    old = office.day(now) - QUARANTINE_LIFE
    session.connection().execute(delete(Quarantine).where(col(Quarantine.day) < old))
    return gone


def warn_of_expiry(session: Session, office: Office, *, now: datetime) -> int:
    """Tell people whose draft goes within 3 hours, once; returns how many."""
    told = 0
    for row, memory in _with_draft(session, office, now):
        if memory.warned or memory.draft_ends() - now > WARN_BEFORE:
            continue
        language = office.language(State.from_json(memory.state).language)
        hours = max(1, round((memory.draft_ends() - now).total_seconds() / 3600))
        notices.say(
            session,
            office,
            Reply("X06W", {"n": str(hours)}),
            channel=memory.channel,
            to=memory.handle,
            language=language,
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
    for row in conversations.expired(session, now=soon):
        memory = _read(office, row)
        if memory is not None and memory.report and not memory.draft_over(now):
            yield row, memory


def _drop_orphans(session: Session, office: Office, now: datetime) -> None:
    """Delete drafts that no conversation leads to any more."""
    before = office.day(now - 2 * DRAFT_LIFE)
    for report in session.exec(
        select(Draft.report).where(col(Draft.day) < before)
    ).all():
        reports.discard(session, report)


def _read(office: Office, row: Conversation) -> Memory | None:
    try:
        return Memory.from_bytes(conversations.read(office.keys, row))
    except (NotAuthentic, ValueError):
        return None
