"""What waits, as counts and coarse ages.

Whoever reads them often must learn no minute in which a reporter acted: what passes
through in time does not count, ages are rounded down, what came today is left out.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, text
from sqlmodel import Session, and_, col, func, or_, select

from storage.jobs.jobs import LIFE
from storage.models import Case, Job, Lease, OutboxRow, Quarantine
from storage.words import Channel, JobKind

LATE = timedelta(minutes=5)
"""What is due for a shorter time and was never tried is on its way and does not count."""
DEAD = timedelta(seconds=60)
"""The length of a lease: who did not take over for so long does not live."""
_TRIED = col(OutboxRow.attempts) > text("0")
"""As the index says it: a value that is bound would not be known to fit."""
_WAITS = col(OutboxRow.failed).is_(None)
_STEP = timedelta(minutes=10)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pile:
    """How many wait, and since when at least the oldest does."""

    count: int
    age: timedelta


def letters(session: Session, *, now: datetime) -> Pile:
    """Count letters that were tried in vain or are late; age in steps of 10 minutes."""
    late = col(OutboxRow.due) < now - LATE
    tried = and_(_TRIED, col(OutboxRow.lease_until).is_(None), ~late)
    of_people = set(Channel) - {Channel.CANARY}
    ways = [tried, *(and_(late, OutboxRow.channel == one.value) for one in of_people)]
    count, oldest = 0, now
    for way in ways:
        query = select(func.count(), func.min(OutboxRow.due)).where(
            way, _WAITS, OutboxRow.channel != Channel.CANARY.value
        )
        found: tuple[int, datetime | None] = session.exec(query).one()
        count, oldest = count + found[0], min(oldest, found[1] or now)
    return _pile((count, oldest), now, _STEP)


def failed_letters(session: Session, *, now: datetime) -> int:
    """Count letters that failed in the hours before this one and may still be tried."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    query = select(func.count()).where(
        col(OutboxRow.failed).is_not(None),
        col(OutboxRow.due) < hour,
        col(OutboxRow.expires) > now,
    )
    return session.exec(query.select_from(OutboxRow)).one()


def jobs(session: Session, *, now: datetime) -> Pile:
    """Count jobs that were tried in vain or are late; age in steps of 10 minutes."""
    query = select(func.count(), func.min(Job.due)).where(_is_late(now))
    return _pile(session.exec(query).one(), now, _STEP)


def copies(session: Session, *, now: datetime) -> Pile:
    """Count what a provider was asked to erase and has not confirmed; age in hours."""
    query = select(func.count(), func.min(Job.expires)).where(
        Job.kind == JobKind.ERASE.value
    )
    return _pile(session.exec(query).one(), now + LIFE, _HOUR)


def open_cases(session: Session, *, today: date, above: bytes | None) -> int:
    """Count the cases that are not closed; those of today are not told before tomorrow.

    What the unit ``above`` us has is never told. The server's own test is counted by
    itself, so that an index alone answers.
    """
    waiting = (
        col(Case.is_open).is_(True),
        col(Case.day) < today,
        Case.unit != (above or b""),
    )
    every = select(func.count()).select_from(Case).where(*waiting)
    ours = select(func.count()).select_from(Case).where(col(Case.canary), *waiting)
    return session.exec(every).one() - session.exec(ours).one()


def quarantined(session: Session, *, today: date) -> int:
    """Count the sealed messages of the days before today."""
    query = select(func.count()).where(col(Quarantine.day) < today)
    return session.exec(query.select_from(Quarantine)).one()


def quarantine_days(session: Session, *, today: date) -> int:
    """Return the age of the oldest sealed message in days; 0 where none is kept."""
    oldest: date | None = session.exec(select(func.min(Quarantine.day))).one()
    return max(0, (today - oldest).days) if oldest is not None else 0


def dead_leases(session: Session, *, now: datetime) -> int:
    """Count letters and jobs whose holder's time is over for as long as it was given."""
    letters = select(func.count()).where(
        _TRIED, col(OutboxRow.lease_until) < now - DEAD
    )
    jobs = select(func.count()).where(col(Job.lease_until) < now - DEAD)
    return session.exec(letters).one() + session.exec(jobs).one()


def leases(session: Session, holder: str, *, now: datetime) -> int:
    """Count what this process leads."""
    query = select(func.count()).where(
        col(Lease.holder) == holder, col(Lease.until) > now
    )
    return session.exec(query.select_from(Lease)).one()


def _is_late(now: datetime) -> ColumnElement[bool]:
    tried = and_(col(Job.attempts) > 0, col(Job.lease_until).is_(None))
    return or_(tried, col(Job.due) < now - LATE)


def _pile(found: tuple[int, datetime | None], now: datetime, step: timedelta) -> Pile:
    count, since = found
    age = timedelta() if since is None else max(timedelta(), now - since)
    return Pile(count, age // step * step)
