"""What is watched says since when it fails, how often, and whether it is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from storage.jobs import watches
from storage.jobs.watches import Watched

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _read(database, name=Watched.CANARY):
    with database.reading() as session:
        return watches.read(session)[name]


def test_bad_keeps_its_beginning_and_good_ends_it(database):
    with database.writing() as session:
        watches.good(session, "canary", now=NOW)
    with database.writing() as session:
        watches.bad(session, "canary", "receipt.late", now=NOW + MINUTE)
    with database.writing() as session:
        watches.bad(session, "canary", "status.wrong", now=NOW + 2 * MINUTE)
    row = _read(database)
    assert (row.good, row.bad, row.failures) == (NOW, NOW + MINUTE, 2)
    assert row.code == "status.wrong"
    with database.writing() as session:
        watches.good(session, "canary", now=NOW + 3 * MINUTE)
    row = _read(database)
    assert (row.good, row.bad, row.failures) == (NOW + 3 * MINUTE, None, 0)
    assert row.code == ""


def test_what_is_well_again_and_again_writes_seldom(database):
    for seconds in (0, 5, 19, 25):
        with database.writing() as session:
            watches.good(session, "store", now=NOW + timedelta(seconds=seconds))
    assert _read(database, "store").good == NOW + timedelta(seconds=25)
    with database.writing() as session:
        watches.good(session, "store", now=NOW + timedelta(seconds=30))
    assert _read(database, "store").good == NOW + timedelta(seconds=25)


def test_every_failure_counts_when_many_fail_at_once(database):
    def fail(_):
        with database.writing() as session:
            watches.bad(session, "sms.sending", "breaker", now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fail, range(12)))
    assert _read(database, "sms.sending").failures == 12


def test_of_two_processes_one_tells(database):
    with database.writing() as session:
        watches.bad(session, "alarm.canary.old", "begun", now=NOW)

    def tell(_):
        with database.writing() as session:
            return watches.tell_once(session, "alarm.canary.old", before=None, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(tell, range(4))) == [False, False, False, True]
    with database.writing() as session:
        assert watches.tell_once(
            session, "alarm.canary.old", before=NOW, now=NOW + MINUTE
        )
        later = NOW + MINUTE
        assert watches.tell_once(session, "alarm.canary.old", before=later, now=None)
        assert watches.tell_once(session, "alarm.canary.old", before=None, now=NOW)


@pytest.mark.parametrize("name", ["somebody", "alarm.", "alarm.Satu Dua", ""])
def test_a_name_of_nobody_is_refused(database, name):
    with database.writing() as session, pytest.raises(watches.UnknownWatch):
        watches.good(session, name, now=NOW)


@pytest.mark.parametrize("code", ["", "+62811", "Chat not found", "a" * 41])
def test_a_code_is_a_word_of_ours(database, code):
    with database.writing() as session, pytest.raises(watches.UnknownWatch):
        watches.bad(session, "canary", code, now=NOW)
