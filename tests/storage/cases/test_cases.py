"""The queue: its order, its pages, its index, and one lock for a case."""

import secrets
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.cases import cases, tags
from storage.cases.cases import Filters, Place
from storage.crypto.sealing import NotAuthentic
from storage.models import Case

DAY = date(2026, 3, 2)
UNIT, OTHER = b"u" * 16, b"o" * 16


def made(keys, n: int) -> Case:
    case = Case(
        report=secrets.token_bytes(16),
        number=f"{n:04}-AAAA",
        day=DAY + timedelta(days=n % 11),
        category="COR",
        track="TPK",
        urgency=n % 3,
        position="UNK",
        unit=OTHER if n % 5 == 0 else UNIT,
        is_open=n % 7 != 0,
        due=DAY + timedelta(days=n % 13),
        public_key=b"",
        figures=b"",
        head=bytes(32),
        tag=b"",
    )
    tags.tag_case(keys, case)
    return case


@pytest.fixture
def filled(database, keys):
    with database.writing() as session:
        session.add_all(made(keys, n) for n in range(2000))
    if not database.is_sqlite:
        database.scrub()
    with database.writing() as session:
        session.connection().execute(text("ANALYZE"))
    return database


def place(case: Case) -> Place:
    return Place(case.urgency, case.due, case.day, case.report)


def test_pages_follow_the_order_without_a_gap_or_a_double(filled):
    shown: list[Case] = []
    after = None
    with filled.reading() as session:
        while page := cases.queue_page(session, [UNIT], filters=Filters(), after=after):
            assert len(page) <= cases.PAGE
            shown += page
            after = place(page[-1])
        wanted = session.exec(select(Case).where(Case.unit == UNIT, Case.is_open)).all()
    keys_of = [(c.urgency, c.due, c.day, c.report) for c in shown]
    assert keys_of == sorted(keys_of)
    assert len(keys_of) == len(set(keys_of)) == len(wanted)


def test_the_queue_uses_its_index(filled):
    with filled.reading() as session:
        first = cases.queue_page(session, [UNIT], filters=Filters())
        seen = [
            plan(session, filled.is_sqlite, after) for after in (None, place(first[-1]))
        ]
    for steps in seen:
        assert "ix_cases_queue" in steps, steps
        assert "SCAN cases\n" not in steps
        assert "Seq Scan" not in steps


def plan(session, is_sqlite: bool, after: Place | None) -> str:  # noqa: FBT001 - the dialect
    """Return how the store would fetch a page, by the statement that is really sent."""
    from sqlalchemy import event  # noqa: PLC0415 - beside its only use

    sent: list[tuple[str, object]] = []
    connection = session.connection()

    def listen(_c, _cursor, statement, parameters, *_):
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    cases.queue_page(session, [UNIT], filters=Filters(), after=after)
    event.remove(connection, "before_cursor_execute", listen)
    (statement, parameters), *_ = sent
    word = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    rows = connection.exec_driver_sql(word + statement, parameters).all()
    return "\n".join(str(row) for row in rows)


def test_filters_choose(filled):
    with filled.reading() as session:
        for filters, true in (
            (Filters(urgency=0), lambda c: c.urgency == 0 and c.is_open),
            (Filters(is_open=False), lambda c: not c.is_open),
            (Filters(status="CLOSED"), lambda c: c.status == "CLOSED"),
            (Filters(category="SVC"), lambda c: c.category == "SVC"),
            (Filters(officer=b"x" * 16), lambda c: c.officer == b"x" * 16),
        ):
            page = cases.queue_page(session, [UNIT, OTHER], filters=filters, limit=5000)
            everything = session.exec(select(Case)).all()
            assert {c.report for c in page} == {c.report for c in everything if true(c)}


def test_a_taken_number_is_told_and_a_planted_case_refused(database, keys):
    with database.writing() as session:
        assert cases.insert(session, keys, made(keys, 1))
        assert not cases.insert(session, keys, made(keys, 1))
    with database.writing() as session:
        found = cases.by_number(session, keys, "0001-AAAA")
        assert found
        assert cases.get(session, keys, found.report)
        assert cases.lock(session, keys, b"n" * 16) is None
        found.tag = b"\x01" + bytes(32)
        session.add(found)
        session.flush()
        with pytest.raises(NotAuthentic):
            cases.lock(session, keys, found.report)


def test_register_numbers_count_by_year(database):
    with database.writing() as session:
        years = [2026, 2026, 2027, 2026, 2027]
        found = [
            cases.next_register_number(session, year, above=False) for year in years
        ]
    assert found == [1, 2, 1, 3, 2]


def test_the_unit_above_us_leaves_no_gap_in_the_register(database):
    with database.writing() as session:
        found = [
            cases.next_register_number(session, 2026, above=above)
            for above in (False, True, True, False, True)
        ]
    assert found == [1, -1, -2, 2, -3]


def test_a_number_that_a_case_left_is_given_again(database, keys):
    """Each series by itself, from its beginning; without a gap there is none to give."""
    left = {False: [2, 3], True: [-1]}
    with database.writing() as session:
        assert cases.dropped_register_number(session, 2026, above=False) is None
        for n in range(8):
            above, case = n > 4, made(keys, n)
            number = cases.next_register_number(session, 2026, above=above)
            case.register_year, case.register_number = 2026, number
            if number in left[above]:
                cases.unregister(session, case)
            session.add(case)
    for above, numbers in left.items():
        for number in numbers:
            with database.writing() as session:
                found = cases.dropped_register_number(session, 2026, above=above)
                assert found == number
                case = made(keys, 100 + number)
                case.register_year, case.register_number = 2026, found
                session.add(case)
        with database.writing() as session:
            assert cases.dropped_register_number(session, 2026, above=above) is None
    with database.writing() as session:
        assert cases.dropped_register_number(session, 2027, above=False) is None
