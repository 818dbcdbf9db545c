"""What an ended case holds goes by the first tick after its rule, and never before."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from handlers.cases import officer
from handlers.cases.named import Named
from handlers.retention import reports
from handlers.rules import lifetimes
from handlers.rules.lifetimes import Facts
from storage.audit import log
from storage.cases import cases, history
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import files
from storage.inspection import chains
from storage.models import Case, Grant, Tombstone
from storage.retention import erasing, overdue, tombstones
from storage.words import Erased, EventCode, Role, Status
from tests.storage.retention.test_erasing import full_case, holdings, is_whole
from tests.support.desk import Desk, desk
from tests.support.lasting import last_kept

DAY = timedelta(days=1)


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def ends(here: Desk, case: Case, status: Status = Status.CLOSED, **more) -> None:
    """Let a case have ended today, as a verb would leave it."""
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        row.status, row.is_open = status.value, False
        row.closed = here.office.day(here.now)
        for name, value in more.items():
            setattr(row, name, value)
        cases.save(session, here.keys, row)


def tick(here: Desk) -> reports.Gone:
    """Purge as the scheduler does, page by page."""
    at: reports.Walk | None = reports.Walk()
    count, gone = 0, []
    while at is not None:
        with here.database.reading() as session:
            page, at = reports.due(here.work(session), at)
        done = here.act(reports.purge, page)
        count, gone = count + done.count, gone + list(done.files)
    return reports.Gone(count, tuple(gone))


def to(here: Desk, day: date) -> None:
    here.now += day - here.office.day(here.now)


def left(here: Desk, case: Case) -> set[Erased]:
    found = holdings(here, case.report)
    row = here.case(case.number)
    there = {
        Erased.IDENTITY: found["identity"],
        Erased.CONTACT: found["subscriptions"],
        Erased.CONTENTS: found["case"],
        Erased.FILES: found["files"],
        Erased.RECEIPT: row.receipt_wrap,
    }
    return {what for what, has in there.items() if has}


@pytest.mark.parametrize("status", sorted(lifetimes.ENDED))
def test_each_thing_goes_on_its_day(here: Desk, status: Status):
    case, _ = full_case(here)
    ends(here, case, status)
    there = set(Erased)
    while there:
        row = here.case(case.number)
        table = here.office.rulebook.lifetimes
        days = {
            what: last
            for what in there
            if (last := last_kept(table, reports.facts(row), what)) is not None
        }
        last = min(days.values())
        to(here, last)
        tick(here)
        assert left(here, case) == there, "the last day is kept whole"
        to(here, last + DAY)
        tick(here)
        there -= {what for what, day in days.items() if day == last}
        assert left(here, case) == there
        assert is_whole(here, case.report)
    with here.database.reading() as session:
        assert not session.exec(select(Grant)).all(), "nobody could open anything"
        said = [
            event.detail
            for event in history.of_case(session, case.report)
            if event.code == EventCode.PURGED
        ]
        assert sorted(said) == sorted(Erased)
        assert len(session.exec(select(Tombstone)).all()) == len(Erased)
        assert list(chains.problems(session, here.keys)) == []
    row = here.case(case.number)
    assert (row.status, row.category, row.day) == (status, case.category, case.day)


def test_an_open_case_keeps_everything_however_old(here: Desk):
    case, _ = full_case(here)
    here.later(days=365 * 30)
    assert tick(here).count == 0
    assert left(here, case) == set(Erased)


def test_a_hold_stops_all_but_the_contact_until_its_release(here: Desk):
    case, _ = full_case(here)
    ends(here, case, hold=True)
    here.later(days=365 * 30)
    tick(here)
    assert left(here, case) == set(Erased) - {Erased.CONTACT}
    ends(here, case, hold=False, closed=here.case(case.number).closed)
    tick(here)
    assert left(here, case) == {Erased.RECEIPT}
    here.later(days=367)
    tick(here)
    assert left(here, case) == set()


def test_a_case_that_goes_on_again_counts_from_its_next_end(here: Desk):
    case, _ = full_case(here)
    ends(here, case)
    here.later(days=20)
    ends(here, case, Status.REVIEW, is_open=True, closed=None)
    here.later(days=365 * 9)
    assert tick(here).count == 0
    ends(here, case, Status.REJECTED)
    here.later(days=89)
    tick(here)
    assert Erased.CONTENTS in left(here, case)
    here.later(days=2)
    tick(here)
    assert left(here, case) == {Erased.RECEIPT}


@pytest.mark.both_stores
def test_rows_of_an_older_version_get_the_day_of_their_end(here: Desk):
    case, _ = here.reports("555")
    by = here.house.supervisor.officer
    here.later(days=5)
    other = Named(case=here.reports("777")[0].number)
    step = (officer.change_status, case.report, Status.MERGED)
    assert not here.act(*step, by=by, reason=None, named=other)
    second = here.member("budi", Role.SUPERVISOR).officer
    assert here.act(*step, by=second, reason=None, named=here.named(case))
    day = here.office.day(here.now)
    row = here.case(case.number)
    assert row.closed == day
    ends(here, case, Status.MERGED, closed=None)
    with here.database.writing() as session:
        assert reports.date_ends(here.work(session)) == 1
        assert reports.date_ends(here.work(session)) == 0
    assert here.case(case.number).closed == day


def test_a_case_that_was_changed_by_hand_is_left_and_stops_nobody(here: Desk):
    forged, _ = here.reports("555")
    case, _ = here.reports("777")
    for one in (forged, case):
        ends(here, one, Status.REJECTED)
    with here.database.writing() as session:
        session.connection().execute(
            text("UPDATE cases SET closed = '2000-01-01' WHERE report = :r"),
            {"r": forged.report},
        )
    here.later(days=100)
    tick(here)
    assert left(here, case) == {Erased.RECEIPT}
    assert holdings(here, forged.report)["case"]


@pytest.mark.both_stores
def test_pages_pass_over_everything_once(here: Desk, monkeypatch):
    monkeypatch.setattr(reports, "AT_ONCE", 2)
    made = [here.reports(str(handle))[0] for handle in range(500, 505)]
    for case in made:
        ends(here, case, Status.REJECTED)
    here.later(days=91)
    assert tick(here).count == len(made)
    assert tick(here).count == 0


def test_file_ids_are_handed_on(here: Desk):
    case, _ = here.reports("555")
    ids = {here.store(files.reserve, case.report, day=case.day) for _ in range(3)}
    ends(here, case, Status.REJECTED)
    here.later(days=91)
    assert set(tick(here).files) == ids


@pytest.mark.both_stores
def test_replay_erases_once_and_says_so(here: Desk):
    case, _ = full_case(here)
    ends(here, case, hold=True)
    with here.database.writing() as session:
        stone = tombstones.put(
            session, here.keys, case.report, Erased.IDENTITY, day=case.day
        )
        line = tombstones.line(here.keys, stone)
    with here.database.writing() as session:
        session.delete(session.get_one(Tombstone, stone.id))
    for count in (1, 0):
        again = tombstones.from_line(here.keys, line)
        assert here.act(reports.replay, again).count == count
    assert Erased.IDENTITY not in left(here, case)
    assert is_whole(here, case.report)
    with here.database.reading() as session:
        (said,) = log.lines(session)[:1]
        assert (said.code, said.detail) == ("retention.replayed", "identity")
        assert tombstones.unwritten(session, here.keys, limit=9) == []


@pytest.mark.both_stores
def test_counts_tell_what_ended_cases_hold(here: Desk):
    case, _ = full_case(here)
    here.reports("777")
    ends(here, case)
    with here.database.reading() as session:
        counted = dict(overdue.counts(session, reports.cuts(here.office, here.now)))
    assert counted == {what: what is not Erased.CONTACT for what in Erased}


DATES = st.dates(date(2026, 3, 2), date(2034, 1, 1))


CASES = st.tuples(
    st.sampled_from(sorted(lifetimes.ENDED)),
    DATES,
    st.none() | DATES,
    st.booleans(),
    DATES,
)


@pytest.mark.both_stores
def test_the_store_finds_what_the_rules_say(here: Desk):
    """The query finds a case on a day if and only if something of it is past its rule."""
    case, _ = here.reports("555")

    @settings(max_examples=40, deadline=None)
    @given(CASES)
    def holds(example) -> None:
        status, closed, purged, hold, on = example
        ends(here, case, status, closed=closed, purged=purged, hold=hold)
        to(here, on)
        facts = Facts(status, closed, purged, hold)
        over = here.office.rulebook.lifetimes.over(facts, on)
        if purged is not None:
            over -= {Erased.CONTENTS}
        over -= {Erased.CONTACT}  # it has none, and that is found by the wish
        with here.database.reading() as session:
            found, _ = reports.due(here.work(session), reports.Walk())
        assert found == ([case.report] if over else []), (over, example)

    holds()


def test_erasing_knows_every_word(here: Desk):
    case, _ = full_case(here)
    for what in Erased:
        with here.database.writing() as session:
            row = cases.lock(session, here.keys, case.report)
            assert row is not None
            assert erasing.again(session, here.keys, row, what, day=case.day)[0]
            cases.save(session, here.keys, row)
