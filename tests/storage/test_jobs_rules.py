"""A job is claimed until it is done, however old, and only as what it was put as."""

from datetime import timedelta

import pytest
from sqlmodel import select

from storage import jobs
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
    assert _claims(database, keys, kind, now) == []
    with database.reading() as session:
        assert session.exec(select(Job)).all() == []
