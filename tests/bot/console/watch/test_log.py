"""What an auditor sees: acts, heads, readings and figures; never a content."""

import csv
import io

import pytest

from bot.console.watch import readings
from handlers.cases import officer
from storage.audit import log
from storage.models import AuditLine, Case
from storage.words import Role, Status
from tests.support.browsers import STORY, Browser, Desk, Page
from tests.support.founded import person


@pytest.fixture
def auditor(desk: Desk) -> Browser:
    with desk.database.writing() as session:
        who = person(session, desk.keys, "lala", Role.AUDITOR)
    return desk.signed_in(who)


async def act(desk: Desk, *cases: Case, verb=officer.record_reading, **more) -> None:
    who = desk.house.supervisor.officer
    for case in cases:
        await desk.act(verb, case.report, by=who, **more)


@pytest.mark.both_stores
async def test_the_log_is_read_filtered_and_paged(desk: Desk, auditor: Browser):
    first, second = desk.case(), desk.case()
    await act(desk, first, second)
    await act(desk, second, verb=officer.take)
    page = await auditor.see("/log")
    for word in (first.number, second.number, "Sari", "Took a case", "Read a case"):
        assert word in page.text
    assert STORY not in page.text
    sari = desk.house.supervisor.officer.id.hex()
    for query, there, gone in (
        (f"number={first.number}", "Read a case", "Took a case"),
        ("family=reading", first.number, "Took a case"),
        (f"officer={sari}&family=cases", "Took a case", "Signed in"),
        ("day=2026-03-01", "No line matches", first.number),
        ("day=2026-03-02", first.number, "No line matches"),
    ):
        shown = Page(await auditor.get(f"/log?{query}"))
        table = shown.text.partition("Clear")[2]
        assert there in table, query
        assert gone not in table, query
    for query in ("number=NOPE", "officer=zz&day=tomorrow", "before=x", "family=all"):
        assert (await auditor.get(f"/log?{query}")).status_code == 200
    with desk.database.writing() as session:
        for _ in range(120):
            log.record(session, desk.keys, "tick", officer=None, now=desk.clock())
    page = await auditor.see("/log")
    older = next(link for link in page.links if "before=" in link)
    assert first.number in Page(await auditor.client.get(older)).text


@pytest.mark.both_stores
async def test_a_head_that_was_kept_shows_a_cut_and_a_roll_back(
    desk: Desk, auditor: Browser
):
    case = desk.case()
    await act(desk, case)
    with desk.database.reading() as session:
        old, kept = log.head(session), log.head(session)
        row = Case(**session.get_one(Case, case.report).model_dump())
    await act(desk, case, verb=officer.take)
    with desk.database.reading() as session:
        kept = log.head(session)

    async def check(head: tuple[int, bytes] | None) -> str:
        typed = log.written(head) if head else ""
        return Page(await auditor.send("/log/verify", head=typed)).text

    assert "still holds your head" in await check(kept)
    assert "still holds your head" in await check(old)
    assert "are whole" in await check(None)
    with desk.database.writing() as session:
        session.delete(session.get_one(AuditLine, kept[0]))
        session.merge(row)
    assert f"line {kept[0]} is missing" in await check(kept)
    text = await check(None)
    assert "log is whole, but" in text
    assert case.number in text


@pytest.mark.parametrize("typed", ["12", "12:zz", "x" * 400, "1:" + "A" * 66])
async def test_a_head_that_is_none_is_refused(auditor: Browser, typed: str):
    response = await auditor.send("/log/verify", head=typed)
    assert response.status_code == 422
    assert "looks like" in Page(response).text


async def test_the_log_leaves_as_a_table_and_says_so(desk: Desk, auditor: Browser):
    await act(desk, desk.case())
    with desk.database.writing() as session:
        who = person(session, desk.keys, "eve")
        who.officer.name = "=cmd()"
        session.flush()
    response = await auditor.send("/log/export", family="reading")
    assert response.headers["content-type"].startswith("text/csv")
    assert "attachment" in response.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(response.text)))
    assert [row[2] for row in rows[1:]] == ["case.read"]
    with desk.database.reading() as session:
        (line,) = log.lines(session, limit=1)
        assert line.code == "log.exported"
        assert log.verify(session, desk.keys) is None


@pytest.mark.both_stores
async def test_much_reading_of_foreign_cases_is_shown(desk: Desk, auditor: Browser):
    cases = [desk.case() for _ in range(readings.MANY + 1)]
    await act(desk, *cases)
    assert "ask why" in (await auditor.see("/reading")).text.partition("foreign")[2]
    await act(desk, *cases[:2], verb=officer.take)
    page = await auditor.see("/reading")
    assert "· ask why" not in page.text
    desk.clock.pass_time(days=readings.DAYS + 1)
    lala = desk.signed_in(_again(desk))
    assert "Nobody read a case" in (await lala.see("/reading")).text


def _again(desk: Desk):
    with desk.database.writing() as session:
        return person(session, desk.keys, "later", Role.AUDITOR)


@pytest.mark.both_stores
async def test_figures_count_and_name_their_period(desk: Desk, auditor: Browser):
    for _ in range(3):
        desk.case()
    one = desk.case()
    await act(
        desk, one, verb=officer.change_status, to=Status.VERIFICATION, reason=None
    )
    page = await auditor.see("/figures")
    assert "Reports 4 Open 4 Late 0" in page.text
    assert "March 2026 4" in page.text
    assert "As of 2 March 2026" in page.text
    page = await auditor.see("/figures?first=2026-03-03&last=2026-03-04")
    assert "Reports 0 Open 0 Late 0" in page.text
    assert "ends before" in (await auditor.see("/figures?first=2026-04-01")).text
    assert (await auditor.see("/figures?first=x&last=99999")).text


async def test_the_log_is_for_auditors_only(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    for path in ("/log", "/reading", "/figures"):
        assert (await browser.get(path)).status_code == 404
    assert (await browser.send("/log/export")).status_code == 404
