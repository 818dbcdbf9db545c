"""Durable work that is no letter: receipts due, files to fetch, copies to erase."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, or_, select

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.models import Job
from storage.words import JobKind

LEASE = timedelta(seconds=60)
LIFE = timedelta(hours=48)
"""After this a file is refused and an erasure is tried once a day; no job just goes."""
AGAIN = timedelta(days=1)
SPOILT_LIFE = timedelta(days=30)
"""How long past its end a job is kept that does not open: its key may come back."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that we hold: its details, and the token that every finish shows."""

    id: bytes
    token: bytes
    kind: JobKind
    details: Mapping[str, str] = field(repr=False)
    attempts: int
    expires: datetime


_PUT = Statement.insert("jobs", ("id", "kind", "due", "expires", "attempts", "blob"))


def put(
    session: Session,
    keys: ServerKeys,
    kind: JobKind,
    details: Mapping[str, str],
    *,
    now: datetime,
    due: datetime | None = None,
    once: str = "",
    put_off: timedelta | None = None,
) -> None:
    """Add a job; ``details`` are encrypted under the server key.

    With ``once`` (a provider's id) it is the only one of its kind under that name: one that
    waits already becomes due earlier, and no second one is added; with ``put_off`` it becomes
    due anew, so long at most after it was due first.
    """
    name = keys.look_up(Purpose.PROVIDER, kind, once) if once else None
    waits = session.get(Job, name) if name else None
    if waits is not None:
        first = waits.expires - LIFE
        latest = waits.due if put_off is None else first + put_off
        waits.due = min(latest, due or now)
        session.add(waits)
        return
    job_id, expires = name or secrets.token_bytes(16), (due or now) + LIFE
    raw = sealing.spaced(json.dumps(dict(details)).encode("ascii"))
    _PUT(
        session,
        id=job_id,
        kind=kind.value,
        due=due or now,
        expires=expires,
        attempts=0,
        blob=keys.lock(Purpose.JOB, raw, _place(job_id, kind, expires)),
    )


def claim(
    session: Session,
    keys: ServerKeys,
    kind: JobKind,
    *,
    limit: int,
    now: datetime,
    spoilt: list[bytes] | None = None,
) -> list[Claimed]:
    """Take due jobs of one kind, expired ones too, under a lease of 60 seconds.

    One that does not open is none of ours now, but may be again when its server key is
    back: it is put out of the way for a day, its id into ``spoilt``, and goes in the end.
    """
    rows = session.exec(
        select(Job)
        .where(Job.kind == kind.value, col(Job.due) <= now, _free(now))
        .order_by(col(Job.due))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    claimed = []
    for row in rows:
        try:
            details = _details(keys, row)
        except NotAuthentic:
            _put_off(session, row, now)
            if spoilt is not None:
                spoilt.append(row.id)
            continue
        row.lease_until = now + LEASE
        row.lease_token = secrets.token_bytes(16)
        row.attempts += 1
        session.add(row)
        claimed.append(
            Claimed(row.id, row.lease_token, kind, details, row.attempts, row.expires)
        )
    session.flush()
    return claimed


def held_on(session: Session, job: Claimed, *, now: datetime) -> bool:
    """Renew the lease of a job that takes long; False if it was lost."""
    renewed = session.connection().execute(
        update(Job).where(*_held(job)).values(lease_until=now + LEASE)
    )
    return bool(renewed.rowcount)


def done(session: Session, job: Claimed) -> bool:
    """Delete a finished job; False if the lease was lost to another worker."""
    gone = session.connection().execute(delete(Job).where(*_held(job)))
    return bool(gone.rowcount)


def later(session: Session, job: Claimed, *, due: datetime) -> bool:
    """Put a job back to be tried at ``due``; False if the lease was lost."""
    moved = session.connection().execute(
        update(Job)
        .where(*_held(job))
        .values(due=due, lease_until=None, lease_token=None)
    )
    return bool(moved.rowcount)


def put_back(session: Session, held: Sequence[Claimed], *, due: datetime) -> None:
    """Put jobs back that were not tried; they lose nothing by that."""
    for job in held:
        session.connection().execute(
            update(Job)
            .where(*_held(job))
            .values(
                due=due,
                attempts=job.attempts - 1,
                lease_until=None,
                lease_token=None,
            )
        )


def due(
    session: Session, keys: ServerKeys, kind: JobKind, *, limit: int, now: datetime
) -> list[tuple[bytes, Mapping[str, str]]]:
    """Return ids and details of due jobs, which nobody holds: ``take`` tells whose one is."""
    rows = session.exec(
        select(Job)
        .where(Job.kind == kind.value, col(Job.due) <= now)
        .order_by(col(Job.due))
        .limit(limit)
    ).all()
    return [(row.id, details_of(keys, row)) for row in rows]


def take(session: Session, job: bytes, *, now: datetime) -> bool:
    """Delete a job that is done in this transaction; False if it went or is put off."""
    gone = session.connection().execute(
        delete(Job).where(col(Job.id) == job, col(Job.due) <= now)
    )
    return bool(gone.rowcount)


def call(session: Session, ids: Sequence[bytes], *, now: datetime) -> None:
    """Let jobs that were put back be due now, those that nobody holds."""
    session.connection().execute(
        update(Job)
        .where(col(Job.id).in_(ids), col(Job.due) > now, col(Job.lease_until).is_(None))
        .values(due=now)
    )


def waiting(
    session: Session, keys: ServerKeys, kind: JobKind
) -> Iterator[Mapping[str, str]]:
    """Yield the details of every job of a kind that is not done."""
    for row in session.exec(select(Job).where(Job.kind == kind.value)).all():
        try:
            yield _details(keys, row)
        except NotAuthentic:
            continue


def details_of(keys: ServerKeys, row: Job) -> Mapping[str, str]:
    """Return what a job is about; nothing for a row that is not ours."""
    try:
        return _details(keys, row)
    except NotAuthentic:
        return {}


def next_due(session: Session, kind: JobKind, *, now: datetime) -> datetime | None:
    """Return when the next job of this kind that nobody holds is due, if there is one."""
    return session.exec(
        select(Job.due)
        .where(Job.kind == kind.value, _free(now))
        .order_by(col(Job.due))
        .limit(1)
    ).first()


def drop(session: Session, names: Sequence[bytes]) -> None:
    """Delete jobs that are done, by their ids."""
    for name in names:
        row = session.get(Job, name)
        if row is not None:
            session.delete(row)
    session.flush()


def relock(keys: ServerKeys, row: Job) -> None:
    """Keep a job under the newest server key. Raises NotAuthentic."""
    row.blob = keys.relock(Purpose.JOB, row.blob, _context(row))


def _details(keys: ServerKeys, row: Job) -> Mapping[str, str]:
    return sealing.told(keys.unlock(Purpose.JOB, row.blob, _context(row)))


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(col(Job.lease_until).is_(None), col(Job.lease_until) < now)


def _put_off(session: Session, row: Job, now: datetime) -> None:
    if row.expires + SPOILT_LIFE <= now:
        session.delete(row)
        return
    row.due, row.attempts = now + AGAIN, row.attempts + 1
    row.lease_until = row.lease_token = None
    session.add(row)


def _held(job: Claimed) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Job.id) == job.id, col(Job.lease_token) == job.token


def _context(row: Job) -> Context:
    return _place(row.id, row.kind, row.expires)


def _place(job_id: bytes, kind: str, expires: datetime) -> Context:
    """Bind a job to its kind and its end: turned to another, it is no job any more."""
    end = int(expires.timestamp())
    return Context("jobs", job_id, "blob", seq=end, key=kind.encode())
