"""Admins and auditors who were invited see their words and nothing else until confirmed."""

import pytest
from starlette.routing import Mount, Route

from bot.console import menu
from storage.units import admissions
from storage.words import Role
from tests.bot.console.people.test_people import added, found, invites, joins, words_of
from tests.support.browsers import Desk, Page
from tests.support.founded import Person


def waiting(desk: Desk, login: str, role: Role) -> Person:
    person = added(desk, login, role)
    with desk.database.writing() as session:
        admissions.leave_unconfirmed(session, desk.keys, person.officer)
    return person


OPEN = {
    "/", "/sign-in", "/sign-in/second", "/sign-out", "/prove", "/static",
    "/join/{token}", "/{path:path}",
}  # fmt: skip
"""Addresses without a role beside those of the own account."""


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
async def test_every_page_of_a_role_is_none_for_who_waits(desk: Desk, role: Role):
    number = desk.case().number
    browser = desk.signed_in(waiting(desk, "wati", role))
    _, mount = desk.app.routes
    assert isinstance(mount, Mount)
    tried = 0
    for route in mount.routes:
        if isinstance(route, Mount) or route.path in OPEN:  # type: ignore[attr-defined]  # a route
            continue
        assert isinstance(route, Route)
        path = route.path.replace("{number}", number).replace("{login}", "sari")
        if path.startswith("/account"):
            continue
        get = "GET" in (route.methods or set())
        response = await (browser.get(path) if get else browser.send(path))
        assert response.status_code == 404, route.path
        tried += 1
    assert tried > 40


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
async def test_who_waits_sees_words_and_no_menu(desk: Desk, role: Role):
    browser = desk.signed_in(waiting(desk, "wati", role))
    response = await browser.get("/")
    assert response.headers["location"] == "/console/account"
    page = await browser.see("/account")
    assert words_of(desk, "wati") in page.text
    assert "You wait to be confirmed" in page.text
    for entry in menu.entries(role):
        assert f'href="/console{entry.path}"' not in page.text.partition("<main")[0].replace(
            'class="mark" href="/console/"', ""
        )  # fmt: skip


async def test_a_supervisor_compares_and_confirms(desk: Desk):
    adi = desk.signed_in(added(desk, "adi", Role.ADMIN))
    welcome = await joins(desk, await invites(desk, adi, role="auditor", unit=""))
    assert "You wait to be confirmed" in welcome.text
    assert "Waiting to be confirmed" in (await adi.see("/people")).text
    assert "You invited them" in (await adi.see("/people/officers/budi")).text
    form = {"words": words_of(desk, "budi"), "compared": "yes"}
    response = await adi.send("/people/officers/budi/confirm", **form)
    assert response.status_code == 409
    rini = desk.signed_in(desk.colleague("rini"))
    assert "budi" not in (await rini.see("/people")).text
    assert (await rini.get("/people/officers/budi")).status_code == 404
    response = await rini.send("/people/officers/budi/confirm", **form)
    assert response.status_code == 404
    sari = desk.signed_in(desk.house.supervisor)
    assert "Compare and confirm Budi" in (await sari.see("/people")).text
    assert words_of(desk, "budi") in (await sari.see("/people/officers/budi")).text
    response = await sari.send("/people/officers/budi/confirm", words=form["words"])
    assert response.status_code == 422
    assert "Compare the words first" in response.text
    other = {"words": words_of(desk, "rini"), "compared": "yes"}
    response = await sari.send("/people/officers/budi/confirm", **other)
    assert response.status_code == 409
    page = await sari.do("/people/officers/budi/confirm", **form)
    assert "Confirmed." in page.text
    assert "Compare and confirm" not in page.text
    with desk.database.reading() as session:
        budi = found(desk, "budi")
        assert not admissions.is_unconfirmed(session, desk.keys, budi.id)


async def test_a_confirmation_is_proved(desk: Desk):
    waiting(desk, "wati", Role.ADMIN)
    sari = desk.signed_in(desk.house.supervisor)
    form = {"words": words_of(desk, "wati"), "compared": "yes"}
    desk.clock.pass_time(minutes=15)
    response = await sari.send("/people/officers/wati/confirm", **form)
    assert response.headers["location"].startswith("/console/prove")


async def test_who_waits_can_link_no_telegram(desk: Desk):
    response = await desk.signed_in(waiting(desk, "wati", Role.ADMIN)).send(
        "/account/link"
    )
    assert response.status_code == 409
    assert "Your account waits to be let in" in Page(response).text
    assert "t.me" not in response.text
