import pytest
from sqlmodel import select

from bot.console.context import HASHERS
from bot.console.gate import local_path
from bot.console.throttle import (
    MOST_ACCOUNT,
    MOST_ADDRESS,
    MOST_HERE,
    SPAN,
    Throttle,
)
from bot.console.visit import COOKIE, DEVICE, DOOR
from storage.audit import log
from storage.models import Officer
from storage.models import Session as Row
from storage.people import officers
from storage.words import Role
from tests.support import authenticator
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
    hashers = desk.context.hashers.turns
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


SOURCES = [
    ("203.0.113.7", "203.0.113.8", False),
    ("::ffff:203.0.113.7", "203.0.113.7", True),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
    ("2001:db8:1:2::1", "2001:DB8:1:2::9%eth0", True),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("unix:", "unix:", True),
    ("", "203.0.113.7", False),
]


@pytest.mark.parametrize(("one", "other", "same"), SOURCES)
def test_one_line_is_one_source(now, one: str, other: str, *, same: bool):
    """A line has a whole /64 of IPv6, and 2^64 addresses to flood from."""
    throttle = Throttle()
    for number in range(MOST_ADDRESS):
        assert throttle.begin(f"login{number}", one, now=now)
    assert throttle.begin("fresh", other, now=now) != same


async def test_no_flood_shuts_out_a_browser_that_was_here(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Neither tries on the account, nor its own address, nor a crowd at the hashers."""
    monkeypatch.setattr("bot.console.signing.passphrase._WAIT_FOR_HASHER", 0.01)
    officer = enrol(desk)
    with desk.database.writing() as session:
        phone = authenticator.enrol(session, desk.keys, officer)
    door = Door(desk)
    now = desk.clock()
    arrived = await authenticator.sign_in(door.client, "wulan", PHRASE, phone, now=now)
    marked = [
        one for one in arrived.response.headers.get_list("set-cookie") if DEVICE in one
    ]
    assert len(marked) == 1
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=15552000"):
        assert word in marked[0]
    door.client.cookies.delete(COOKIE)
    throttle, now = desk.context.throttle, desk.clock()
    for number in range(3 * MOST_ACCOUNT):
        throttle.begin("wulan", f"203.0.113.{number}", now=now)
    for number in range(2 * MOST_ADDRESS):
        throttle.begin(f"login{number}", "127.0.0.1", now=now)
    assert (await Door(desk).enter("wulan", PHRASE)).status_code == 429
    for _ in range(HASHERS):
        assert desk.context.hashers.turns.acquire(blocking=False)
    assert (await door.enter("wulan", PHRASE)).status_code == 303
    assert (await Door(desk).enter("nobody", PHRASE)).status_code == 429
    other = Door(desk)
    other.client.cookies.update({DEVICE: "AAAA"})
    assert (await other.enter("wulan", PHRASE)).status_code == 429


async def test_the_second_step_and_a_proof_are_not_shut_either(desk: Desk):
    officer = enrol(desk)
    with desk.database.writing() as session:
        phone = authenticator.enrol(session, desk.keys, officer)
    door, now = Door(desk), desk.clock()
    await authenticator.sign_in(door.client, "wulan", PHRASE, phone, now=now)
    for login in ("wulan", f"second {officer.id.hex()}"):
        for number in range(2 * MOST_ADDRESS):
            desk.context.throttle.begin(login, f"203.0.113.{number}", now=now)
    desk.clock.pass_time(seconds=60)
    page = Page(await door.client.get("/console/prove?language=en"))
    proof = {"passphrase": PHRASE, "code": phone.code(desk.clock())}
    answer = await door.client.post("/console/prove", data={**page.fields, **proof})
    assert answer.status_code == 303
    door.client.cookies.delete(COOKIE)
    desk.clock.pass_time(seconds=60)
    again = await authenticator.sign_in(
        door.client, "wulan", PHRASE, phone, now=desk.clock()
    )
    assert again.response.headers["location"] == "/console/"


async def test_a_known_browser_has_no_more_tries_than_others(desk: Desk):
    officer = enrol(desk)
    with desk.database.writing() as session:
        phone = authenticator.enrol(session, desk.keys, officer)
    door = Door(desk)
    now = desk.clock()
    await authenticator.sign_in(door.client, "wulan", PHRASE, phone, now=now)
    door.client.cookies.delete(COOKIE)
    for _ in range(MOST_HERE):
        assert (await door.enter("wulan", "wrong")).status_code == 403
    assert (await door.enter("wulan", PHRASE)).status_code == 429
    assert (await Door(desk).enter("wulan", PHRASE)).status_code == 303


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
