"""A job is claimed until it is done, however old, and only as what it was put as."""

from datetime import timedelta

import pytest
from sqlmodel import select

from storage.crypto.server_key import ServerKeys
from storage.jobs import jobs
from storage.models import Job
from storage.words import JobKind

DETAILS = {"channel": "sms", "id": "SM1"}


def _claims(database, keys, kind, now):
    with database.writing() as session:
        return jobs.claim(session, keys, kind, limit=9, now=now)


@pytest.mark.parametrize("kind", list(JobKind))
def test_an_expired_job_is_claimed_all_the_same(database, keys, now, kind):
    with database.writing() as session:
        jobs.put(session, keys, kind, DETAILS, now=now)
    (job,) = _claims(database, keys, kind, now + timedelta(days=30))
    assert job.details == DETAILS
    assert job.expires == now + jobs.LIFE
    with database.writing() as session:
        assert jobs.done(session, job)


@pytest.mark.parametrize("changed", ["kind", "expires"])
def test_a_job_turned_to_another_kind_or_end_is_no_job(database, keys, now, changed):
    with database.writing() as session:
        jobs.put(session, keys, JobKind.FETCH, DETAILS, now=now)
    values = {"kind": JobKind.ERASE.value, "expires": now + timedelta(days=99)}
    with database.writing() as session:
        row = session.exec(select(Job)).one()
        setattr(row, changed, values[changed])
        session.add(row)
    with database.reading() as session:
        kind = JobKind(session.exec(select(Job.kind)).one())
        assert list(jobs.waiting(session, keys, kind)) == []
    spoilt: list[bytes] = []
    with database.writing() as session:
        claim = (session, keys, kind)
        assert jobs.claim(*claim, limit=9, now=now, spoilt=spoilt) == []
        assert jobs.claim(*claim, limit=9, now=now) == [], "out of the way for a day"
    with database.reading() as session:
        row = session.exec(select(Job)).one()
        assert spoilt == [row.id]
        assert row.due == now + jobs.AGAIN


def test_a_job_whose_key_comes_back_is_done_after_all(database, keys, now):
    with database.writing() as session:
        jobs.put(session, keys, JobKind.FETCH, DETAILS, now=now)
    assert _claims(database, ServerKeys.new(), JobKind.FETCH, now) == []
    assert _claims(database, keys, JobKind.FETCH, now) == []
    (job,) = _claims(database, keys, JobKind.FETCH, now + jobs.AGAIN)
    assert job.details == DETAILS


def test_a_job_that_never_opens_goes_in_the_end(database, keys, now):
    with database.writing() as session:
        jobs.put(session, keys, JobKind.FETCH, DETAILS, now=now)
    for day in range(40):
        _claims(database, ServerKeys.new(), JobKind.FETCH, now + day * jobs.AGAIN)
        with database.reading() as session:
            left = len(session.exec(select(Job)).all())
        assert left == (now + day * jobs.AGAIN < now + jobs.LIFE + jobs.SPOILT_LIFE)


def test_a_job_put_back_untried_loses_nothing(database, keys, now):
    with database.writing() as session:
        jobs.put(session, keys, JobKind.FETCH, DETAILS, now=now)
    (job,) = _claims(database, keys, JobKind.FETCH, now)
    with database.reading() as session:
        assert jobs.next_due(session, JobKind.FETCH, now=now) is None
    with database.writing() as session:
        jobs.put_back(session, [job], due=now + timedelta(seconds=5))
    assert _claims(database, keys, JobKind.FETCH, now) == []
    (again,) = _claims(database, keys, JobKind.FETCH, now + timedelta(seconds=5))
    assert (job.attempts, again.attempts) == (1, 1)


def test_a_job_that_takes_long_is_held_on_until_another_has_it(database, keys, now):
    with database.writing() as session:
        jobs.put(session, keys, JobKind.FETCH, DETAILS, now=now)
    (job,) = _claims(database, keys, JobKind.FETCH, now)
    over = now + jobs.LEASE
    with database.writing() as session:
        assert jobs.held_on(session, job, now=over - timedelta(seconds=1))
    assert _claims(database, keys, JobKind.FETCH, over) == []
    (other,) = _claims(database, keys, JobKind.FETCH, over + jobs.LEASE)
    with database.writing() as session:
        assert not jobs.held_on(session, job, now=over + jobs.LEASE)
        assert jobs.held_on(session, other, now=over + jobs.LEASE)


def test_a_job_that_was_put_back_is_due_when_it_is_called(database, keys, now):
    """One that somebody holds stays where it is."""
    with database.writing() as session:
        for _ in range(2):
            jobs.put(session, keys, JobKind.FETCH, DETAILS, now=now)
    back, held = _claims(database, keys, JobKind.FETCH, now)
    later = now + timedelta(hours=1)
    with database.writing() as session:
        jobs.put_back(session, [back], due=later)
        jobs.call(session, [back.id, held.id], now=now)
    assert [one.id for one in _claims(database, keys, JobKind.FETCH, now)] == [back.id]
