"""Leases and jobs: one holder at a time, and what a lost lease may not do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from storage.jobs import jobs, leases
from storage.words import JobKind

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_only_one_holds_and_hands_over(database):
    with database.writing() as session:
        assert leases.hold(session, "x", "one", seconds=60, now=NOW)
        assert not leases.hold(session, "x", "two", seconds=60, now=NOW + 59 * SECOND)
        assert leases.hold(session, "x", "one", seconds=60, now=NOW + 59 * SECOND)
        assert leases.move_cursor(session, "x", "one", 9)
        assert leases.move_cursor(session, "x", "one", 7), "a provider may begin anew"
        assert leases.cursor(session, "x") == 7
        assert leases.hold(session, "x", "two", seconds=60, now=NOW + 200 * SECOND)
        assert not leases.move_cursor(session, "x", "one", 9)
        leases.let_go(session, "x", "one", now=NOW)
        assert not leases.hold(session, "x", "one", seconds=9, now=NOW + 201 * SECOND)
        leases.let_go(session, "x", "two", now=NOW + 201 * SECOND)
        assert leases.hold(session, "x", "one", seconds=9, now=NOW + 202 * SECOND)
        assert leases.cursor(session, "x") == 7
        assert leases.cursor(session, "unknown") == 0


def test_the_first_hold_is_one_persons_too(database):
    def hold(holder: str) -> bool:
        with database.writing() as session:
            return leases.hold(session, "new", holder, seconds=60, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(hold, "abcd")) == [False, False, False, True]


def test_a_job_has_one_holder_and_ends_once(database, keys):
    with database.writing() as session:
        for n in range(5):
            jobs.put(session, keys, JobKind.ERASE, {"id": f"{n}"}, now=NOW)
    with database.writing() as session:
        first = jobs.claim(session, keys, JobKind.ERASE, limit=3, now=NOW)
        rest = jobs.claim(session, keys, JobKind.ERASE, limit=9, now=NOW)
        assert len(first) == 3
        assert len(rest) == 2
        assert {one.details["id"] for one in (*first, *rest)} == set("01234")
        assert jobs.claim(session, keys, JobKind.ERASE, limit=9, now=NOW) == []
        assert jobs.claim(session, keys, JobKind.FETCH, limit=9, now=NOW) == []
    late = NOW + jobs.LEASE + SECOND
    with database.writing() as session:
        again = jobs.claim(session, keys, JobKind.ERASE, limit=9, now=late)
        assert len(again) == 5
        assert {one.attempts for one in again} == {2}
        assert not jobs.done(session, first[0]), "the lease was lost"
        assert not jobs.later(session, first[0], due=late)
        assert jobs.later(session, again[0], due=late + 9 * SECOND)
        assert all(jobs.done(session, one) for one in again[1:])
    with database.writing() as session:
        assert jobs.claim(session, keys, JobKind.ERASE, limit=9, now=late) == []
        due = late + 9 * SECOND
        (last,) = jobs.claim(session, keys, JobKind.ERASE, limit=9, now=due)
        assert jobs.done(session, last)
        assert not jobs.done(session, last)
