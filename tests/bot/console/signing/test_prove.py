"""Proving oneself again: what it opens, for how long, and what does not count."""

import pytest

from bot.console.throttle import MOST_HERE
from bot.console.visit import COOKIE
from storage.audit import log
from storage.people import officers
from storage.people.sessions import MOST_TRIES
from storage.words import Role
from tests.support import authenticator
from tests.support.authenticator import Authenticator
from tests.support.browsers import Browser, Desk, Page

pytestmark = pytest.mark.both_stores

PHRASE = "a phrase of sixteen"


@pytest.fixture
async def wulan(desk: Desk) -> tuple[Browser, Authenticator]:
    """An officer who signed in six minutes ago, and her phone."""
    account = officers.prepare_account(
        desk.keys, "wulan", "Wulan", Role.HANDLER, PHRASE, language="en"
    )
    with desk.database.writing() as session:
        officer = officers.add(session, desk.keys, account)
        phone = authenticator.enrol(session, desk.keys, officer)
    client = desk.browser()
    await authenticator.sign_in(client, "wulan", PHRASE, phone, now=desk.clock())
    desk.clock.pass_time(minutes=6)
    return Browser(client, client.cookies[COOKIE]), phone


async def test_passphrase_and_code_open_it_for_five_minutes(
    desk: Desk, wulan: tuple[Browser, Authenticator]
):
    browser, phone = wulan
    response = await browser.get("/account/passphrase")
    assert response.headers["location"] == "/console/prove?next=/account/passphrase"
    page = await browser.see("/prove?next=/account/passphrase")
    assert page.fields["next"] == "/account/passphrase"
    response = await browser.send(
        "/prove",
        passphrase=PHRASE,
        code=phone.code(desk.clock()),
        next="/account/passphrase",
    )
    assert response.headers["location"] == "/console/account/passphrase"
    assert (await browser.get("/account/passphrase")).status_code == 200
    desk.clock.pass_time(minutes=4, seconds=59)
    assert (await browser.get("/account/passphrase")).status_code == 200
    desk.clock.pass_time(seconds=1)
    assert (await browser.get("/account/passphrase")).status_code == 303
    with desk.database.reading() as session:
        assert log.lines(session)[0].code == "proved"


async def test_one_of_both_is_not_enough(
    desk: Desk, wulan: tuple[Browser, Authenticator]
):
    browser, phone = wulan
    code = phone.code(desk.clock())
    for form in (
        {"passphrase": PHRASE},
        {"passphrase": PHRASE, "code": "nonsense"},
        {"passphrase": "a phrase of somebody else", "code": code},
        {"code": code},
    ):
        response = await browser.send("/prove", **form)
        assert response.status_code == 403, form
        assert "is not right" in Page(response).text
        assert (await browser.get("/account/passphrase")).status_code == 303
    response = await browser.send("/prove", passphrase=PHRASE, code=code)
    assert response.status_code == 303, "a wrong passphrase used no code up"


async def test_five_wrong_proofs_end_the_session(wulan: tuple[Browser, Authenticator]):
    browser, _ = wulan
    assert MOST_HERE == MOST_TRIES
    for _ in range(MOST_TRIES - 1):
        response = await browser.send("/prove", passphrase=PHRASE, code="000")
        assert response.status_code == 403
    response = await browser.send("/prove", passphrase=PHRASE, code="000")
    assert response.headers["location"] == "/console/sign-in"
    assert (await browser.get("/account")).status_code == 303


async def test_a_code_used_to_sign_in_proves_nothing(
    desk: Desk, wulan: tuple[Browser, Authenticator]
):
    browser, phone = wulan
    code = phone.code(desk.clock())
    form = {"passphrase": PHRASE, "code": code}
    assert (await browser.send("/prove", **form)).status_code == 303
    assert (await browser.send("/prove", **form)).status_code == 403
