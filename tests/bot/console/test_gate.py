import re
from collections.abc import Iterator

import pytest
from sqlmodel import select
from starlette.routing import Mount, Route

from bot.console import headers
from bot.console.visit import COOKIE, DOOR
from bot.writer import StoreUnavailable
from storage.models import Officer
from storage.models import Session as Row
from storage.people import sessions
from tests.support.browsers import HOST, ORIGIN, Desk, Page, half_way

PUBLIC = {"/console/join/{token}"}
"""Further pages that are seen before sign-in."""


def addresses(desk: Desk) -> Iterator[tuple[str, str]]:
    """Yield (method, path) of everything that the console's router knows."""
    number = desk.case().number
    home, mount = desk.app.routes
    assert isinstance(home, Route)
    yield "GET", home.path
    assert isinstance(mount, Mount)
    for route in mount.routes:
        if isinstance(route, Mount):
            yield "GET", "/console/static/console.css"
            continue
        assert isinstance(route, Route)
        path = route.path.replace("{number}", number).replace("{file}", "00" * 16)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, "/console" + path.replace("{path:path}", "no/such/page")


@pytest.mark.parametrize("signed", [False, True])
async def test_every_answer_carries_every_header(desk: Desk, signed: bool):  # noqa: FBT001 - a case of the test
    client = desk.browser()
    if signed:
        client = desk.signed_in(desk.house.supervisor).client
    seen = 0
    for method, path in addresses(desk):
        response = await client.request(method, path)
        if path.endswith("/passkeys/new") and signed:
            assert "script-src 'self'" in response.headers["content-security-policy"]
            seen += 1
            continue
        for name, value in headers.HEADERS.items():
            assert response.headers[name] == value, (method, path, name)
        assert response.headers["Strict-Transport-Security"] == headers.TRANSPORT
        kept = "no-cache" if "static" in path else "no-store"
        assert response.headers["Cache-Control"] == kept, (method, path)
        assert "script" not in response.text
        seen += 1
    assert seen > 15


async def test_a_stranger_reaches_nothing_but_the_door(desk: Desk):
    client = desk.browser()
    for method, path in addresses(desk):
        response = await client.request(method, path)
        if "static" in path or "no/such" in path:
            continue
        if path.endswith("/sign-in"):
            assert response.status_code == (200 if method == "GET" else 403)
        elif "/join/" in path:
            assert response.status_code == (404 if method == "GET" else 403)
        else:
            assert response.status_code == 303, (method, path)
            door = "/console/" if path == "/console" else "/console/sign-in"
            assert response.headers["location"].startswith(door)


async def test_every_form_needs_the_token_of_its_session(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    other = sessions.form_token(desk.signed_in(desk.house.supervisor).cookie)
    posts = [p for m, p in addresses(desk) if m == "POST" and "no/such" not in p]
    assert len(posts) > 12
    custodian = desk.signed_in(desk.house.custodian)
    for path in posts:
        who = custodian if path.startswith("/console/vault") else browser
        for token in ("", "nonsense", other):
            response = await who.client.post(path, data={"token": token})
            assert response.status_code in {403, 404}, path
    page = await browser.see("/mine")
    assert "You have taken no case yet" in page.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://elsewhere.example"),
    ],
)
async def test_a_form_from_elsewhere_is_refused(desk: Desk, name: str, value: str):
    browser = desk.signed_in(desk.house.supervisor)
    token = sessions.form_token(browser.cookie)
    response = await browser.client.post(
        "/console/account/language",
        data={"token": token, "language": "id"},
        headers={name: value},
    )
    assert response.status_code == 403
    assert "no longer valid" in Page(response).text


async def test_our_own_origin_is_no_stranger(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.client.post(
        "/console/account/language",
        data={"token": sessions.form_token(browser.cookie), "language": "id"},
        headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"},
    )
    assert response.status_code == 303


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"token=" + b"x" * 70_000, 413),
        (b"token=\xff\xfe", 400),
        (b"&".join(b"a%d=1" % n for n in range(30)), 400),
        (b"token=%ff%fe&language=%00", 400),
        (b"token=%ff%fe&language=id", 403),
        (b"", 403),
    ],
)
async def test_bad_bodies_are_refused_plainly(desk: Desk, body: bytes, status: int):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.client.post(
        "/console/account/language",
        content=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == status


@pytest.mark.both_stores
@pytest.mark.parametrize("path", ["/cases/%00", "/people/officers/a%00", "/?after=%00"])
async def test_a_nul_names_nothing(desk: Desk, path: str):
    browser = desk.signed_in(desk.house.supervisor)
    assert (await browser.get(path)).status_code == 404


async def test_another_host_name_is_refused(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.get("/", headers={"host": "rebound.example"})
    assert response.status_code == 421
    response = await browser.get("/", headers={"host": f"{HOST}:8443"})
    assert response.status_code == 200


async def test_a_link_from_an_alert_asks_once_more_for_the_cookie(desk: Desk):
    client = desk.browser()
    number = desk.case().number
    response = await client.get(
        f"/console/cases/{number}", headers={"sec-fetch-site": "cross-site"}
    )
    assert response.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in response.text
    assert f"/console/cases/{number}" in Page(response).links
    response = await client.get(
        f"/console/cases/{number}", headers={"sec-fetch-site": "same-origin"}
    )
    assert response.headers["location"] == f"/console/sign-in?next=/cases/{number}"


async def test_a_session_that_is_idle_is_over(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    for _ in range(3):
        desk.clock.pass_time(minutes=15)
        await browser.see("/")
    desk.clock.pass_time(minutes=20)
    assert (await browser.get("/")).status_code == 303


@pytest.mark.both_stores
async def test_reading_writes_at_most_once_a_minute(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)

    def seen() -> object:
        with desk.database.reading() as session:
            return session.exec(select(Row.seen)).one()

    first = seen()
    desk.clock.pass_time(seconds=59)
    await browser.see("/")
    assert seen() == first
    desk.clock.pass_time(seconds=1)
    await browser.see("/")
    assert seen() == desk.clock()


async def test_an_error_page_tells_no_details(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    browser = desk.signed_in(desk.house.supervisor)
    case = desk.case()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of somebody")

    monkeypatch.setattr("storage.cases.items.read", broken)
    response = await browser.get(f"/cases/{case.number}")
    assert response.status_code == 500
    assert "somebody" not in response.text
    assert "RuntimeError" not in response.text
    assert "Something failed" in Page(response).text


@pytest.mark.both_stores
async def test_a_store_that_cannot_write_says_try_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    browser = desk.signed_in(desk.house.supervisor)

    async def full(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(desk.context.writer, "run", full)
    response = await browser.send("/account/language", language="id")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"


async def test_pages_speak_the_language_of_the_browser_before_sign_in(desk: Desk):
    client = desk.browser()
    for wanted, word in (("en-GB,en", "Passphrase"), ("id", "Frasa"), ("fr", "Frasa")):
        response = await client.get(
            "/console/sign-in", headers={"accept-language": wanted}
        )
        assert word in response.text
    response = await client.get("/console/sign-in?language=en")
    assert 'lang="en"' in response.text


@pytest.mark.both_stores
async def test_a_changed_account_is_a_stranger(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    with desk.database.writing() as session:
        row = session.get(Officer, desk.house.supervisor.officer.id)
        assert row is not None
        row.role = "admin"
        session.add(row)
    assert (await browser.get("/")).status_code == 303


async def test_static_files_are_ours_only(desk: Desk):
    client = desk.browser()
    css = await client.get("/console/static/console.css")
    assert css.status_code == 200
    assert not re.search(r"url\(|@import|https?:", css.text)
    missing = await client.get("/console/static/../app.py")
    assert missing.status_code == 404


async def test_cookies_are_bound_to_this_host(desk: Desk):
    assert COOKIE.startswith("__Host-")
    assert DOOR.startswith("__Host-")
    response = await desk.browser().get("/console/sign-in")
    (cookie,) = response.headers.get_list("set-cookie")
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


async def test_a_passphrase_alone_reaches_no_page_of_work(desk: Desk):
    half = half_way(desk, desk.house.supervisor)
    open_ones = {
        "/console/sign-in",
        "/console/sign-in/second",
        "/console/sign-out",
        "/console/account/factor/set-up",
    }
    closed = 0
    for method, path in addresses(desk):
        if "static" in path or "no/such" in path or path in open_ones | PUBLIC:
            continue
        form = {"token": half.token} if method == "POST" else None
        response = await half.client.request(method, path, data=form)
        assert response.status_code == 303, (method, path)
        location = response.headers["location"]
        second = "/console/sign-in/second"
        assert location.startswith("/console/" if path == "/console" else second)
        closed += 1
    assert closed > 20


async def test_a_stale_proof_is_asked_for_again_and_leads_back(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    desk.clock.pass_time(minutes=5)
    response = await browser.send("/account/codes")
    assert response.headers["location"] == "/console/prove?next=/account"
    response = await browser.send("/account/codes", here="/mine")
    assert response.headers["location"] == "/console/prove?next=/mine"
    response = await browser.send("/account/codes", here="//elsewhere.example")
    assert response.headers["location"] == "/console/prove?next=/"
    response = await browser.get("/account/factor/set-up?next=/mine")
    assert response.headers["location"].startswith("/console/prove?next=/account/")
