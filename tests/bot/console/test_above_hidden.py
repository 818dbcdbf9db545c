"""What the unit above us has shows nowhere else: every page of everybody is as without it."""

import re

import pytest

from storage.models import Case
from tests.bot.console.test_pages_write_nothing import everybody, pages
from tests.support.browsers import ANSWERS, Browser, Desk
from tests.support.founded import Person, overseen

CHANGING = re.compile(
    r'name="(?:token|once)" value="[^"]*"|nonce-[\w+/=-]+|nonce="[^"]*"|'
    r"\b\d{1,5}:[0-9a-f]{66}\b|\b\d+ lines\b"
)
"""Tokens, and the head of the auditors' log: that it grew says that somebody works above."""
BY_LOT = {"/account/factor/set-up", "/account/passkeys/new"}
UNKNOWN = "7K3M-9QXB"


@pytest.fixture
def overseer(desk: Desk) -> Person:
    """Name two people above us; returns one of them."""
    with desk.database.writing() as session:
        return overseen(session, desk.keys).first


async def everything(desk: Desk, browser: Browser, number: str) -> dict[str, str]:
    """Return every page that somebody is shown, by its path; nothing drawn by lot."""
    found = {}
    for page in pages(desk):
        path = page.replace("{number}", number).replace("{login}", "sari")
        if "{" not in path and path not in BY_LOT:
            answer = await browser.get(path)
            text = CHANGING.sub("", answer.text)
            found[path] = f"{answer.status_code} {text}"
    return found


async def works_on(desk: Desk, who: Person, case: Case) -> None:
    """Read a case, as a member of its unit."""
    page = await desk.signed_in(who).see(f"/cases/{case.number}")
    assert case.number in page.text


async def test_every_page_of_everybody_is_as_if_there_were_no_such_case(
    desk: Desk, overseer: Person
):
    ours = desk.case()
    people = everybody(desk)
    await works_on(desk, desk.house.supervisor, ours)
    browsers = [desk.signed_in(who) for who in people]
    for one in browsers:  # the first look writes that the case was read
        await everything(desk, one, ours.number)
    before = [await everything(desk, one, ours.number) for one in browsers]
    hidden = desk.case(answers={**ANSWERS, "Q09": "KDH"})
    assert hidden.unit != ours.unit
    await works_on(desk, overseer, hidden)
    after = [await everything(desk, one, ours.number) for one in browsers]
    for who, was, now in zip(people, before, after, strict=True):
        assert hidden.number not in "".join(now.values())
        different = [path for path in was if was[path] != now[path]]
        assert different == [], f"{who.officer.login}: {different}"
    assert sum(map(len, before)) > 60


@pytest.mark.usefixtures("overseer")
async def test_its_number_is_a_number_that_nobody_has(desk: Desk):
    hidden = desk.case(answers={**ANSWERS, "Q09": "KDH"})
    for who in everybody(desk):
        browser = desk.signed_in(who)
        known = await browser.get(f"/cases/{hidden.number}")
        unknown = await browser.get(f"/cases/{UNKNOWN}")
        assert known.status_code == unknown.status_code
        assert CHANGING.sub("", known.text).replace(hidden.number, UNKNOWN) == (
            CHANGING.sub("", unknown.text)
        )


async def test_its_own_people_find_it_with_a_number_of_their_own_series(
    desk: Desk, overseer: Person
):
    hidden = desk.case(answers={**ANSWERS, "Q09": "KDH"})
    await works_on(desk, overseer, hidden)
    page = await desk.signed_in(overseer).see(f"/cases/{hidden.number}")
    assert "2026/A000001" in page.text
    ours = desk.case()
    await works_on(desk, desk.house.supervisor, ours)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{ours.number}")
    assert "2026/000001" in page.text
