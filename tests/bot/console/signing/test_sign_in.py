import pytest
from sqlmodel import select

from bot.console.gate import local_path
from bot.console.throttle import MOST_ADDRESS, MOST_HERE, SPAN, Throttle
from bot.console.visit import COOKIE, DOOR
from storage.audit import log
from storage.models import Officer
from storage.models import Session as Row
from storage.people import officers
from storage.words import Role
from tests.support.browsers import Browser, Desk, Page

pytestmark = pytest.mark.both_stores

PHRASE = "a phrase of sixteen"


def enrol(desk: Desk, login: str = "wulan") -> Officer:
    account = officers.prepare_account(
        desk.keys, login, "Wulan", Role.HANDLER, PHRASE, language="en"
    )
    with desk.database.writing() as session:
        return officers.add(session, desk.keys, account)


class Door:
    """Somebody in front of the sign-in form."""

    def __init__(self, desk: Desk) -> None:
        self.client = desk.browser()

    async def knock(self, following: str = "") -> Page:
        query = f"?next={following}&language=en" if following else "?language=en"
        return Page(await self.client.get(f"/console/sign-in{query}"))

    async def enter(self, login: str, phrase: str, following: str = "", **more: str):
        page = await self.knock(following)
        return await self.client.post(
            "/console/sign-in?language=en",
            data={**page.fields, "login": login, "passphrase": phrase, **more},
        )


async def test_a_passphrase_opens_nothing_but_the_second_step(desk: Desk):
    enrol(desk)
    door = Door(desk)
    response = await door.enter(" WULAN ", PHRASE)
    assert response.status_code == 303
    assert response.headers["location"] == "/console/sign-in/second"
    session, gone = response.headers.get_list("set-cookie")
    assert session.startswith(f"{COOKIE}=")
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word in session
    assert gone.startswith(f'{DOOR}="";')
    page = await door.client.get("/console/")
    assert page.headers["location"] == "/console/sign-in/second"
    with desk.database.reading() as store:
        assert log.lines(store) == []


async def test_it_leads_to_where_one_wanted_to_go(desk: Desk):
    enrol(desk)
    response = await Door(desk).enter("wulan", PHRASE, following="/mine")
    assert response.headers["location"] == "/console/sign-in/second?next=/mine"


async def test_a_wrong_phrase_and_an_unknown_account_look_the_same(desk: Desk):
    enrol(desk)
    answers = []
    for login in ("wulan", "nobody"):
        response = await Door(desk).enter(login, "a phrase of sixteen, wrong")
        page = Page(response)
        answers.append((response.status_code, page.text))
        assert "do not match" in page.text
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


async def test_a_changed_account_cannot_sign_in(desk: Desk):
    officer = enrol(desk)
    with desk.database.writing() as session:
        row = session.get(Officer, officer.id)
        assert row is not None
        row.role = "supervisor"
        session.add(row)
    assert (await Door(desk).enter("wulan", PHRASE)).status_code == 403


async def test_tries_are_limited_for_any_account(desk: Desk):
    enrol(desk)
    for login in ("wulan", "nobody"):
        for _ in range(MOST_HERE):
            assert (await Door(desk).enter(login, "wrong")).status_code == 403
        response = await Door(desk).enter(login, PHRASE)
        assert response.status_code == 429
        assert "Wait 15 minutes" in Page(response).text
    desk.clock.pass_time(minutes=15)
    assert (await Door(desk).enter("wulan", PHRASE)).status_code == 303


async def test_too_many_at_once_are_asked_to_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.console.signing.passphrase._WAIT_FOR_HASHER", 0.01)
    hashers = desk.context.hashers
    assert hashers.acquire(blocking=False)
    assert hashers.acquire(blocking=False)
    response = await Door(desk).enter("wulan", PHRASE)
    assert response.status_code == 503
    hashers.release()
    hashers.release()


async def test_the_form_belongs_to_the_browser_that_asked_for_it(desk: Desk):
    enrol(desk)
    stranger = Door(desk)
    page = await stranger.knock()
    response = await desk.browser().post(
        "/console/sign-in",
        data={**page.fields, "login": "wulan", "passphrase": PHRASE},
    )
    assert response.status_code == 403


async def test_who_is_signed_in_goes_on(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.get("/sign-in")
    assert response.headers["location"] == "/console/sign-in/second"
    response = await browser.get("/sign-in/second")
    assert response.headers["location"] == "/console/"


async def test_signing_out_ends_the_session(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.send("/sign-out")
    assert response.headers["location"] == "/console/sign-in"
    assert f'{COOKIE}="";' in response.headers["set-cookie"]
    with desk.database.reading() as session:
        assert session.exec(select(Row)).all() == []
    old = Browser(desk.browser(), browser.cookie)
    old.client.cookies.set(COOKIE, browser.cookie, domain="pengaduan.example")
    assert (await old.get("/")).status_code == 303


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/console/cases/7K3M-9QXB", "/cases/7K3M-9QXB"),
        ("/mine", "/mine"),
        ("", "/"),
        ("//elsewhere.example", "/"),
        ("/console//elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/a\nb", "/"),
        ("/\u00e9", "/"),
    ],
)
def test_after_sign_in_one_stays_in_the_house(text: str, path: str):
    assert local_path(text) == path


def test_an_address_is_limited_over_all_accounts(now):
    throttle = Throttle()
    for number in range(MOST_ADDRESS):
        assert throttle.begin(f"login{number}", "203.0.113.7", now=now)
    assert not throttle.begin("fresh", "203.0.113.7", now=now)
    assert throttle.begin("fresh", "203.0.113.8", now=now)
    assert throttle.begin("fresh", "203.0.113.7", now=now + SPAN)


def test_success_forgets_the_tries_here(now):
    throttle = Throttle()
    for _ in range(MOST_HERE):
        throttle.begin("wulan", "203.0.113.7", now=now)
    throttle.succeeded("wulan", "203.0.113.7", now=now)
    assert throttle.begin("wulan", "203.0.113.7", now=now)


def test_the_memory_of_tries_is_bounded(now, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.console.throttle._MOST_NAMES", 10)
    throttle = Throttle()
    for number in range(50):
        throttle.begin(f"login{number}", "203.0.113.7", now=now)
    assert len(throttle.counts) == 10
