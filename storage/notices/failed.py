"""Letters that their provider refused for good: kept until they expire, for a person to judge.

A row of the outbox with a reason in ``failed`` is never claimed, holds back nobody and
counts nowhere as waiting. What is told of it here needs no key: which channel, how it
ranks (so an answer and a receipt look alike), why, since which hour. Nothing here sends
by itself: only ``retry``, which a person asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, func, select

from storage import outbox
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.letters.letter import PRIORITIES
from storage.models import Case, OutboxRow
from storage.outbox import Claimed
from storage.people import telegram_links
from storage.words import Channel, LetterKind

KEPT: Final = frozenset(
    {LetterKind.REPLY, LetterKind.RECEIPT, LetterKind.NOTICE, LetterKind.ALERT}
)
"""What somebody wrote or waits for; acknowledgments and deletions are none of that."""
TOLD: Final = (LetterKind.REPLY, LetterKind.NOTICE, LetterKind.ALERT)
"""The kinds that are told apart."""
MOST_REASON: Final = 40
_FAILED: Final = col(OutboxRow.failed).is_not(None)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A letter that did not go. ``kind`` is told by its rank: a receipt is a reply here.

    ``since`` is the hour in which it was given up, ``expires`` until when it can be tried.
    """

    id: int
    channel: str
    kind: LetterKind
    reason: str
    since: datetime
    attempts: int
    expires: datetime


def keep(session: Session, claimed: Claimed, reason: str, *, now: datetime) -> bool:
    """Mark a letter as failed by a short code and let go of it; False if the lease was lost.

    One that nobody would try again (of another kind, or past its end) is deleted.
    """
    if claimed.letter.kind not in KEPT or claimed.expires <= now:
        return outbox.dead(session, claimed)
    changed = session.connection().execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id) == claimed.id, col(OutboxRow.lease_token) == claimed.token
        )
        .values(
            failed=reason[:MOST_REASON],
            due=now.replace(minute=0, second=0, microsecond=0),
            lease_until=None,
            lease_token=None,
        )
    )
    return bool(changed.rowcount)


def listed(session: Session, *, now: datetime, limit: int) -> list[DeadLetter]:
    """Return what can still be tried, by reason, the oldest first; reads no content."""
    rows = session.exec(
        select(OutboxRow)
        .where(_FAILED, col(OutboxRow.expires) > now)
        .order_by(col(OutboxRow.failed), col(OutboxRow.id))
        .limit(limit)
    )
    return [
        DeadLetter(
            id=row.id or 0,
            channel=row.channel,
            kind=_told(row.priority),
            reason=row.failed or "",
            since=row.due,
            attempts=row.attempts,
            expires=row.expires,
        )
        for row in rows
    ]


def counts(session: Session, *, now: datetime) -> dict[str, int]:
    """Count what can still be tried, by reason."""
    rows = session.exec(
        select(OutboxRow.failed, func.count())
        .where(_FAILED, col(OutboxRow.expires) > now)
        .group_by(col(OutboxRow.failed))
        .order_by(col(OutboxRow.failed))
    )
    return {reason or "": count for reason, count in rows}


def retry(
    session: Session,
    *,
    now: datetime,
    only: Sequence[int] = (),
    reason: str | None = None,
) -> list[str]:
    """Let letters be sent again, now; returns the reason that each had.

    ``only`` these ids, or all of a ``reason``, or all. A letter is taken up once: who asks
    a moment later finds it no more. Doubt and end stay as they are.
    """
    taken = session.connection().execute(
        select(OutboxRow.id, OutboxRow.failed)
        .where(col(OutboxRow.expires) > now, *_wanted(only, reason))
        .with_for_update()
    )
    found = {row.id: row.failed or "" for row in taken}
    if found:
        session.connection().execute(
            update(OutboxRow)
            .where(_FAILED, col(OutboxRow.id).in_(found))
            .values(failed=None, attempts=0, due=now.replace(second=0, microsecond=0))
        )
    return list(found.values())


def drop(
    session: Session, *, only: Sequence[int] = (), reason: str | None = None
) -> list[str]:
    """Delete letters that failed; returns the reason that each had."""
    gone = session.connection().execute(
        delete(OutboxRow).where(*_wanted(only, reason)).returning(col(OutboxRow.failed))
    )
    return [row.failed for row in gone]


def forget_case(session: Session, keys: ServerKeys, case: Case) -> int:
    """Delete what failed and tells of a case, also by its number alone; returns how many."""
    gone = 0
    for row in session.exec(select(OutboxRow).where(_FAILED)).all():
        letter = outbox.letter_of(keys, row)
        if letter is None:
            continue
        if letter.case == case.report.hex() or case.number in letter.text:
            session.delete(row)
            gone += 1
    session.flush()
    return gone


def forget_person(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> int:
    """Delete what failed to reach a person; returns how many."""
    names = keys.look_ups(Purpose.ORDER, channel, handle)
    gone = session.connection().execute(
        delete(OutboxRow).where(_FAILED, col(OutboxRow.order_name).in_(names))
    )
    return gone.rowcount


def forget_officer(session: Session, keys: ServerKeys, officer: bytes) -> int:
    """Delete what failed to reach an officer's Telegram, before it is unlinked."""
    try:
        place = telegram_links.handle_of(session, keys, officer)
    except NotAuthentic:
        return 0
    return forget_person(session, keys, *place) if place else 0


def _told(priority: int) -> LetterKind:
    """Return the kind that a rank tells; no rank tells more than the row does."""
    return next((kind for kind in TOLD if PRIORITIES[kind] == priority), TOLD[0])


def _wanted(only: Sequence[int], reason: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_FAILED]
    if only:
        found.append(col(OutboxRow.id).in_(only))
    if reason is not None:
        found.append(col(OutboxRow.failed) == reason)
    return found
