"""The classification in the console: the form, proposals, what words suggest, both languages."""

import re

import httpx
import pytest

from bot.console.texts import ConsoleTexts
from handlers.rules.rulebook import Rulebook
from storage.cases import codes
from storage.models import Case
from storage.people import officers
from storage.units import routes, units
from storage.words import UnitKind
from tests.support.browsers import Browser, Desk, Page
from tests.support.founded import Person

BOOK = Rulebook.load()
TEXTS = ConsoleTexts()
SELECT = re.compile(r'<select id="(\w+)".*?</select>', re.DOTALL)
CHOSEN = re.compile(r'<option value="([^"]*)" selected>')


def path(case: Case) -> str:
    return f"/cases/{case.number}/classification"


def lists(response: httpx.Response) -> dict[str, list[str]]:
    """Return the codes of every list of a page."""
    return {
        found[1]: re.findall(r'<option value="([^"]*)"', found[0])
        for found in SELECT.finditer(response.text)
    }


def filled(response: httpx.Response) -> dict[str, str]:
    """Return the form as the page shows it."""
    form = {
        found[1]: "".join(CHOSEN.findall(found[0]))
        for found in SELECT.finditer(response.text)
    }
    agency = re.search(r'name="agency" value="([^"]*)"', response.text)
    assert agency is not None
    version = Page(response).fields["version"]
    return {**form, "agency": agency[1], "version": version}


async def waits(browser: Browser) -> list[str]:
    """Return which lists of proposals stand on an officer's own page."""
    answer = await browser.get("/mine")
    return re.findall(r'<h2 id="(approvals|proposals)"', answer.text)


async def sends(browser: Browser, case: Case, **changed: str) -> httpx.Response:
    """Open the form, change something, and send all of it."""
    shown = filled(await browser.get(path(case)))
    return await browser.send(path(case), **{**shown, "reason": "K01", **changed})


async def test_the_form_reaches_every_code(desk: Desk):
    case = desk.case()
    found = lists(await desk.signed_in(desk.house.supervisor).get(path(case)))
    assert len(BOOK.categories) == 58
    assert {*found["category"]} == {*BOOK.categories}
    for number in (1, 2, 3):
        assert {*found[f"further_{number}"]} == {"", *BOOK.categories}
    assert {*found["post"]} == {"", *BOOK.positions}
    assert {*found["employment"]} == {"", "PNS", "CPNS", "PPPK", "NON_ASN", "UNK"}
    assert {*found["acting"]} == {"", "PJ", "PLT"}
    assert {*found["sp4n"]} == {
        *("", "INFO", "NON_SUPERVISORY", "SUPERVISORY", "ASPIRATION")
    }
    assert {*found["province"]} == {"", *BOOK.provinces.names}
    assert {*found["regency"]} == {"", *BOOK.regencies.names}


@pytest.mark.both_stores
@pytest.mark.parametrize("language", ["id", "en"])
async def test_one_proposes_another_confirms(desk: Desk, language: str):
    def say(msgid: str, **params: str) -> str:
        return TEXTS.say(msgid, language, **params)

    case = desk.case()
    second = desk.colleague("second")
    with desk.database.writing() as session:
        for who in (desk.house.supervisor, second):
            officers.set_language(session, who.officer.id, language)
    first, other = desk.signed_in(desk.house.supervisor), desk.signed_in(second)
    page = await first.see(f"/cases/{case.number}")
    assert f"/console{path(case)}" in page.links
    response = await sends(first, case, urgency="URGENT", further_1="DIS-03")
    assert response.headers["location"].endswith("?done=classified")
    page = Page(await first.client.get(response.headers["location"]))
    assert say("done.classified") in page.text
    response = await sends(first, case, urgency="NORMAL", agency="Dinas Contoh")
    page = Page(await first.client.get(response.headers["location"]))
    assert say("done.class_asked") in page.text
    assert say("class.proposal.second") in page.text
    assert desk.again(case).urgency == 0
    assert await waits(first) == ["proposals"]
    assert await waits(other) == ["approvals"]
    page = await other.see(f"/cases/{case.number}")
    assert say("class.waits", who=desk.house.supervisor.officer.name) in page.text
    assert "Dinas Contoh" in page.text
    page = await other.see(path(case))
    done = await other.do(
        f"{path(case)}/confirm", version=page.fields["version"], once="one"
    )
    assert say("done.class_agreed") in done.text
    assert desk.again(case).urgency == 2
    assert await waits(first) == await waits(other) == []
    page = await first.see(f"/cases/{case.number}")
    assert say("event.class_agreed") in page.text
    assert say("class.urgency") + " (" in page.text


async def test_the_same_form_twice_is_one_correction(desk: Desk):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    form = {**filled(await browser.get(path(case))), "once": "class-1", "reason": "K01"}
    for _ in range(2):
        response = await browser.send(path(case), **{**form, "category": "SVC-02"})
        assert response.status_code == 303
    assert codes.read(desk.keys, desk.again(case))["subcategory"] == "SVC-02"


async def test_a_form_of_before_shows_the_case_as_it_is(desk: Desk):
    case = desk.case()
    first = desk.signed_in(desk.house.supervisor)
    other = desk.signed_in(desk.colleague("second"))
    old = filled(await first.get(path(case)))
    assert (await sends(other, case, category="SVC-01")).status_code == 303
    response = await first.send(
        path(case), **{**old, "category": "COR-02", "reason": "K01", "words": "Why"}
    )
    assert response.status_code == 409
    assert TEXTS.say("problem.CLASS_CHANGED", "en") in Page(response).text
    shown = filled(response)
    assert shown["category"] == "SVC-01"
    assert ">Why</textarea>" in response.text


WRONG = {
    "no reason": ({"reason": "", "category": "SVC-01"}, 409, 'id="reason"'),
    "no code": ({"category": "SVC-99"}, 409, 'id="category"'),
    "elsewhere": ({"province": "12", "regency": "11.71"}, 409, 'id="regency"'),
    "too long": ({"agency": "x" * 201}, 422, 'id="agency"'),
    "nothing": ({}, 422, ""),
}


@pytest.mark.parametrize("of", WRONG)
async def test_a_wrong_form_comes_back_as_it_was_typed(desk: Desk, of: str):
    changed, status, field = WRONG[of]
    case = desk.case()
    before = desk.again(case).figures
    browser = desk.signed_in(desk.house.supervisor)
    response = await sends(browser, case, post="KDS" if changed else "", **changed)
    assert response.status_code == status
    assert response.text.count('aria-invalid="true"') == bool(field)
    assert re.search(f'{field}[^>]*aria-invalid="true"', response.text) or not field
    assert filled(response)["post"] == ("KDS" if changed else "")
    assert desk.again(case).figures == before


async def test_what_the_words_suggest_fills_the_form_with_one_press(desk: Desk):
    read = {"position": "KDS", "category": "COR-04", "track": "TPK"}
    read |= {"signs": "WEAPON", "province": "33"}
    browser = desk.signed_in(desk.house.supervisor)
    silent, case = desk.case(), desk.case(suggested=read)
    assert "?fill=words" not in (await browser.get(path(silent))).text
    address = f"/console{path(case)}?fill=words"
    assert address in (await browser.see(path(case))).links
    assert filled(await browser.get(path(case)))["category"] == "COR-09"
    shown = filled(await browser.client.get(address))
    expected = {"category": "COR-04", "post": "KDS", "urgency": "URGENT"}
    assert shown.items() >= {**expected, "province": "33", "track": "TPK"}.items()
    assert desk.again(case).urgency == 2, "nothing is changed by looking"


async def test_another_route_is_said_and_nothing_moves(desk: Desk):
    case = desk.case()
    with desk.database.writing() as session:
        unit = units.create(session, desk.keys, "Pengadaan", UnitKind.HANDLING)
        routes.add_route(session, desk.keys, unit, category="PRC")
    browser = desk.signed_in(desk.house.supervisor)
    said = TEXTS.say("class.elsewhere", "en", unit="Pengadaan")
    assert said not in (await browser.see(path(case))).text
    await sends(browser, case, category="PRC-03")
    for address in (path(case), f"/cases/{case.number}"):
        assert said in (await browser.see(address)).text
    assert desk.again(case).unit == case.unit


async def test_an_officer_of_another_unit_finds_no_form(desk: Desk):
    case = desk.case()
    stranger: Person = desk.house.custodian
    assert (await desk.signed_in(stranger).get(path(case))).status_code == 404
