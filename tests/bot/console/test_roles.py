"""Each role sees the pages of its work; for the others they do not exist."""

import pytest
from starlette.routing import Mount, Route

from bot.console import menu
from handlers import authority
from storage.words import Role
from tests.support.browsers import Browser, Desk, Page
from tests.support.founded import Person, person

OUTSIDE = tuple(role for role in Role if role not in authority.HANDLING)


def somebody(desk: Desk, role: Role) -> Person:
    """Return an officer of this role: the custodian sits in the vault, others nowhere."""
    if role is Role.CUSTODIAN:
        return desk.house.custodian
    with desk.database.writing() as session:
        return person(session, desk.keys, f"new-{role}", role)


def routes(desk: Desk) -> list[Route]:
    mount = desk.app.routes[1]
    assert isinstance(mount, Mount)
    return [route for route in mount.routes if isinstance(route, Route)]


async def answers(browser: Browser, route: Route, path: str) -> int:
    if "POST" in (route.methods or ()):
        return (await browser.send(path)).status_code
    return (await browser.get(path)).status_code


@pytest.mark.parametrize("role", OUTSIDE)
async def test_who_handles_no_cases_reaches_none(desk: Desk, role: Role):
    case = desk.case()
    browser = desk.signed_in(somebody(desk, role))
    handler = desk.signed_in(desk.house.supervisor)
    seen = 0
    for route in routes(desk):
        if not route.path.startswith(("/cases", "/mine")):
            continue
        path = route.path.replace("{number}", case.number).replace("{file}", "00" * 16)
        assert await answers(browser, route, path) == 404, path
        seen += await answers(handler, route, path) != 404
    assert seen >= 8


@pytest.mark.parametrize("role", Role)
async def test_the_console_begins_where_the_work_is(desk: Desk, role: Role):
    who = desk.house.supervisor if role is Role.SUPERVISOR else None
    browser = desk.signed_in(who or somebody(desk, role))
    response = await browser.get("/")
    if role in authority.HANDLING:
        assert response.status_code == 200
        return
    assert response.headers["location"] == "/console" + menu.first(role)
    assert (await browser.get(menu.first(role))).status_code == 200


@pytest.mark.both_stores
@pytest.mark.parametrize("role", Role)
async def test_the_menu_leads_to_pages_that_are_there(desk: Desk, role: Role):
    who = desk.colleague("new") if role is Role.HANDLER else somebody(desk, role)
    browser = desk.signed_in(who)
    start = await browser.see("/account")
    links = {entry.path for entry in menu.entries(role)}
    shown = {link.removeprefix("/console") for link in start.links}
    assert links <= shown
    others = {entry.path for entry in menu.ENTRIES} - links - {"/"}
    assert others.isdisjoint(shown)
    for path in links:
        response = await browser.get(path)
        assert response.status_code in {200, 303}, path
        if response.status_code == 303:
            assert "/prove" in response.headers["location"]
            continue
        page = Page(response)
        assert response.text.count("<h1") == 1, path
        current = f'href="/console{path}" aria-current="page"'
        assert current in response.text, path
        assert page.text


async def test_a_page_below_an_entry_keeps_it_marked(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.get(f"/cases/{desk.case().number}")
    assert 'href="/console/" aria-current="page"' in response.text
    assert response.text.count('aria-current="page"') == 1
