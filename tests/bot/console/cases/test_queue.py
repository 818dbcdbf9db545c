from datetime import date, timedelta

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from bot.console.cases.queue import _place, _token
from handlers.cases import officer as verbs
from storage.cases import cases
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case
from storage.units import memberships, routes, units
from storage.words import Reason, Status, UnitKind
from tests.support import founded
from tests.support.browsers import STARTED, Desk, Page, arrive


def numbers(page: Page) -> list[str]:
    """Return the case numbers of a page in their order."""
    return [
        link.removeprefix("/console/cases/")
        for link in page.links
        if link.startswith("/console/cases/")
    ]


def fill(session: Session, keys: ServerKeys, unit: bytes, count: int) -> None:
    """Write many cases that are good enough for lists."""
    for number in range(count):
        day = STARTED.date() - timedelta(days=number % 40)
        case = Case(
            report=number.to_bytes(16, "big"),
            number=f"{number:08d}",
            day=day,
            status="CLOSED" if number % 5 == 4 else "RECEIVED",
            is_open=number % 5 != 4,
            category="COR",
            track="TPK",
            urgency=number % 3,
            position="UNK",
            unit=unit,
            due=day + timedelta(days=3 + number % 7),
            public_key=b"",
            figures=b"",
            head=b"",
            tag=b"",
        )
        cases.save(session, keys, case)


@pytest.mark.both_stores
async def test_it_is_ordered_by_urgency_then_deadline_then_age(desk: Desk):
    calm = desk.case()
    desk.clock.pass_time(days=-9)
    old = desk.case()
    desk.clock.pass_time(days=9)
    urgent = desk.case(answers={"Q06": "COR-09", "Q18": "THREATENED"})
    page = await desk.signed_in(desk.house.supervisor).see("/")
    assert numbers(page) == [urgent.number, old.number, calm.number]
    assert "Urgent" in page.text
    assert "days late" in page.text


@pytest.mark.both_stores
async def test_filters_narrow_it(desk: Desk):
    levy = desk.case()
    service = desk.case(answers={"Q06": "SVC-01"})
    urgent = desk.case(answers={"Q06": "SVC-01", "Q18": "THREATENED"})
    sari, budi = desk.house.supervisor, desk.colleague("budi")
    await desk.act(verbs.take, levy.report, by=sari.officer)
    await desk.act(
        verbs.change_status,
        levy.report,
        Status.VERIFICATION,
        by=sari.officer,
        reason=None,
    )
    browser = desk.signed_in(sari)
    for query, expected in (
        ("", {levy.number, service.number, urgent.number}),
        ("category=SVC", {service.number, urgent.number}),
        ("urgency=0", {urgent.number}),
        ("status=VERIFICATION", {levy.number}),
        ("mine=1", {levy.number}),
        ("state=over", set()),
        ("category=SVC&urgency=0&status=RECEIVED", {urgent.number}),
        ("status=nonsense&category=%27--&urgency=9&after=x", None),
    ):
        page = await browser.see(f"/?{query}")
        everything = {levy.number, service.number, urgent.number}
        assert set(numbers(page)) == (everything if expected is None else expected)
    for officer in (sari, budi):
        await desk.act(
            verbs.change_status,
            levy.report,
            Status.REJECTED,
            by=officer.officer,
            reason=Reason.R05,
        )
    assert numbers(await browser.see("/?state=over")) == [levy.number]
    assert levy.number not in numbers(await browser.see("/"))
    empty = await browser.see("/?category=ASP")
    assert "No case matches" in empty.text


@pytest.mark.both_stores
async def test_pages_of_fifty_show_every_case_once(desk: Desk):
    with desk.database.writing() as session:
        fill(session, desk.keys, desk.house.unit.id, 160)
    browser = desk.signed_in(desk.house.supervisor)
    seen: list[str] = []
    sizes: list[int] = []
    path = "/?status=RECEIVED"
    while path:
        page = await browser.see(path)
        found = numbers(page)
        seen += found
        sizes.append(len(found))
        following = [link for link in page.links if "after=" in link]
        path = following[0].removeprefix("/console") if following else ""
        assert not path or "status=RECEIVED" in path
        assert ("Back to the start" in page.text) is (len(sizes) > 1)
    assert sizes == [50, 50, 28]
    assert len(set(seen)) == 128


async def test_other_units_cases_are_not_there(desk: Desk):
    theirs = desk.case()
    with desk.database.writing() as session:
        unit = units.create(session, desk.keys, "Other", UnitKind.HANDLING)
        made = founded.person(session, desk.keys, "made")
        memberships.admit_first(session, desk.keys, unit, made.officer)
        routes.add_route(session, desk.keys, unit, category="SVC")
    page = await desk.signed_in(made).see("/")
    assert numbers(page) == []
    assert theirs.number not in page.text


@pytest.mark.both_stores
async def test_who_sits_in_two_units_sees_both_by_name(desk: Desk):
    first = desk.case()
    sari = desk.house.supervisor
    with desk.database.writing() as session:
        unit = units.create(session, desk.keys, "Second desk", UnitKind.HANDLING)
        memberships.admit_first(session, desk.keys, unit, sari.officer)
        other = arrive(session, desk.context.office, now=desk.clock())
        other.unit = unit.id
        cases.save(session, desk.keys, other)
    page = await desk.signed_in(sari).see("/")
    assert set(numbers(page)) == {first.number, other.number}
    assert "Second desk" in page.text
    assert "Inspectorate" in page.text


async def test_a_row_that_was_changed_by_hand_is_marked(desk: Desk):
    desk.case()
    other = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    assert "not authentic" not in (await browser.see("/")).text
    with desk.database.writing() as session:
        row = session.get_one(Case, other.report)
        row.category = "ASP"
        session.add(row)
    page = await browser.see("/")
    assert page.text.count("not authentic") == 1


@pytest.mark.both_stores
async def test_my_work_shows_what_waits_for_me(desk: Desk):
    sari, budi = desk.house.supervisor, desk.colleague("budi")
    mine, proposed, other = desk.case(), desk.case(), desk.case()
    await desk.act(verbs.take, mine.report, by=sari.officer)
    for to, reason, who in (
        (Status.VERIFICATION, None, sari),
        (Status.REJECTED, Reason.R05, budi),
    ):
        await desk.act(
            verbs.change_status, proposed.report, to, by=who.officer, reason=reason
        )
    page = await desk.signed_in(sari).see("/mine")
    assert "Waiting for your approval 1" in page.text
    assert "Your proposals" not in page.text
    assert numbers(page).count(mine.number) == 2
    assert other.number in numbers(page)
    theirs = await desk.signed_in(budi).see("/mine")
    assert "Your proposals, waiting for a second officer" in theirs.text
    assert "Waiting for your approval" not in theirs.text
    with desk.database.writing() as session:
        row = session.get_one(Case, proposed.report)
        row.wanted_by = b"planted by hand."
        session.add(row)
    page = await desk.signed_in(sari).see("/mine")
    assert "Waiting for your approval" not in page.text


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "_" * 38, "A" * 37 + "="])
def test_a_place_that_is_none_begins_at_the_top(token: str):
    assert _place(token) is None


def test_a_place_survives_the_address():
    case = Case(urgency=1, due=date(2026, 3, 5), day=date(2026, 3, 2), report=bytes(16))
    place = _place(_token(case))
    assert place is not None
    assert (place.urgency, place.due, place.day) == (1, case.due, case.day)


@pytest.mark.both_stores
def test_the_queue_is_read_by_its_index(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        fill(session, keys, built.unit.id, 2000)
    if not database.is_sqlite:
        with database.write_engine.connect() as connection:
            connection.execute(text("ANALYZE cases"))
            connection.commit()
    plans: list[str] = []
    with database.reading() as session:
        after = None
        for _ in range(3):
            page = explained(session, database, built.unit.id, after, plans)
            last = page[-1]
            after = cases.Place(last.urgency, last.due, last.day, last.report)
    for plan in plans:
        assert "ix_cases_queue" in plan, plan
        assert "SCAN cases" not in plan
        assert "Seq Scan" not in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan


def explained(
    session: Session,
    database: Database,
    unit: bytes,
    after: cases.Place | None,
    plans: list[str],
) -> list[Case]:
    """Read a page, and keep how the store read it."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    statements: list[tuple[str, object]] = []

    def watch(_conn, _cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    event.listen(database.read_engine, "before_cursor_execute", watch)
    found = cases.queue_page(
        session, [unit], filters=cases.Filters(), after=after, limit=51
    )
    event.remove(database.read_engine, "before_cursor_execute", watch)
    ((statement, parameters),) = statements
    rows = session.connection().exec_driver_sql(explain + statement, parameters)  # type: ignore[arg-type]  # as the driver got them
    plans.append("\n".join(str(row) for row in rows))
    return found
