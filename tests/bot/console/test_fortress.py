"""Every answer of every route, as every role, by every method: what a browser is told.

The routes come from the router, so a new page is tried by itself.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Mount, Route

from bot.app import create
from bot.console import visit
from bot.console.visit import HOME
from bot.settings import loading
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.people import sessions
from storage.words import Role
from tests.support.browsers import Browser, Desk, half_way
from tests.support.doors import environment
from tests.support.founded import Person, person
from tests.support.running import found

ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Written out once more: what a page must say is no matter of what the code says."""
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
RARE = ("PUT", "PATCH", "DELETE", "TRACE")
"""Methods that no route knows; addresses take turns in hearing them."""
SECRET = "a word nobody may see"
_HOLE = re.compile(r"\{(\w+)(?::\w+)?\}")
_ABLE = {Role.SUPERVISOR, Role.CUSTODIAN, Role.ADMIN}
_SOURCES = {"'none'", "'self'"}


def is_fine(response: httpx.Response, where: object) -> None:
    """Hold one answer against everything that every answer must say."""
    for name, value in ALWAYS.items():
        assert response.headers.get(name) == value, (where, name)
    rules = response.headers["Content-Security-Policy"].split(";")
    policy = {rule.split()[0]: rule.split()[1:] for rule in rules}
    assert policy["default-src"] == ["'none'"], where
    for rule in ("frame-ancestors", "base-uri"):
        assert policy[rule] == ["'none'"], (where, rule)
    assert policy["form-action"] == ["'self'"], where
    assert {source for sources in policy.values() for source in sources} <= _SOURCES
    scripts = re.findall(r"<script[^>]*>", response.text)
    assert all(f'src="{HOME}/static/' in one for one in scripts), where
    assert not scripts or policy["script-src"] == ["'self'"], where
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", response.text), (
        where
    )
    foreign = re.findall(r"(?:src|action)=\"([^\"]*)\"", response.text)
    assert all(one.startswith((f"{HOME}/", "#")) for one in foreign), (where, foreign)
    kept = response.headers["Cache-Control"]
    assert kept in (
        {"no-cache", "no-store"} if "/static" in str(where) else {"no-store"}
    )
    for word in ("camera=()", "microphone=()", "geolocation=()"):
        assert word in response.headers["Permissions-Policy"], where
    assert "server" not in response.headers
    assert "x-powered-by" not in response.headers
    assert "max-age" in response.headers["Strict-Transport-Security"]
    for cookie in response.headers.get_list("set-cookie"):
        is_bound(cookie, where)
    assert "Traceback" not in response.text


def is_bound(cookie: str, where: object) -> None:
    """Hold a cookie to this host, to TLS, to our own pages, away from scripts."""
    name, *rest = (part.strip().lower() for part in cookie.split(";"))
    assert name.startswith("__host-"), (where, cookie)
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= set(rest), cookie
    assert not any(part.startswith("domain") for part in rest), cookie


def addresses(desk: Desk) -> Iterator[str]:
    """Yield a path for every route of the router, with its holes filled."""
    number = desk.case().number
    home, mount = desk.app.routes
    assert isinstance(home, Route)
    assert isinstance(mount, Mount)
    yield home.path
    known = {"number": number, "path": "no/such/page"}
    for route in mount.routes:
        if isinstance(route, Mount):
            yield from (f"{HOME}/static/console.css", f"{HOME}/static/none.css")
            continue
        assert isinstance(route, Route)
        yield HOME + _HOLE.sub(lambda hole: known.get(hole[1], "00" * 16), route.path)


def posts(desk: Desk) -> list[str]:
    """Return every address that takes a form."""
    mount = desk.app.routes[1]
    assert isinstance(mount, Mount)
    number = desk.case().number
    return [
        _HOLE.sub(lambda hole: {"number": number}.get(hole[1], "00" * 16), route.path)
        for route in mount.routes
        if isinstance(route, Route)
        and "POST" in (route.methods or ())
        and "{path:path}" not in route.path
    ]


def somebody(desk: Desk, role: Role) -> Person:
    with desk.database.writing() as session:
        new = person(session, desk.keys, f"new-{role}", role)
    return {
        Role.SUPERVISOR: desk.house.supervisor,
        Role.CUSTODIAN: desk.house.custodian,
    }.get(role, new)


@pytest.mark.parametrize("who", ["stranger", "half", *Role])
async def test_every_answer_to_every_method_is_guarded(desk: Desk, who: str):
    if who == "stranger":
        client = desk.browser()
    elif who == "half":
        client = half_way(desk, desk.house.supervisor).client
    else:
        client = desk.signed_in(somebody(desk, Role(who))).client
    seen = set()
    for number, path in enumerate(dict.fromkeys(addresses(desk))):
        for method in (*METHODS, RARE[number % len(RARE)]):
            response = await client.request(method, path)
            is_fine(response, (method, path))
            seen.add(response.status_code)
    assert {404, 405} <= seen


async def test_what_is_refused_is_guarded_too(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    path = "/account/language"
    url = f"{HOME}{path}"
    tries: dict[int, Any] = {
        400: {"content": b"a=\xff"},
        403: {"data": {"token": "x"}},
        413: {"content": b"x" * 70_000},
    }
    for status, sent in tries.items():
        response = await browser.client.post(url, **sent)
        assert response.status_code == status
        is_fine(response, status)
    for where in (f"{HOME}/", f"{HOME}/sign-in", f"{HOME}/cases/x"):
        response = await browser.client.get(where, headers={"host": "evil.example"})
        assert response.status_code == 421, where
        is_fine(response, where)


async def test_every_form_refuses_what_is_not_its_own(desk: Desk):
    """Nothing is done without the token, with another session's, or from elsewhere."""
    for role in Role:
        browser = desk.signed_in(somebody(desk, role))
        other = desk.signed_in(desk.house.supervisor)
        own = sessions.form_token(browser.cookie)
        tries: list[tuple[str, dict[str, str]]] = [
            ("", {}),
            ("x" * 43, {}),
            (sessions.form_token(other.cookie), {}),
            (own, {"sec-fetch-site": "cross-site"}),
            (own, {"sec-fetch-site": "same-site"}),
            (own, {"origin": "https://evil.example"}),
        ]
        for number, path in enumerate(posts(desk)):
            # Whoever may do most tries all of it at every form, the others take turns.
            some = tries if role in _ABLE else [tries[number % len(tries)]]
            for token, headers in some:
                response = await browser.client.post(
                    f"{HOME}{path}", data={"token": token}, headers=headers
                )
                assert response.status_code in {403, 404}, (role, path, token, headers)
                is_fine(response, (role, path))


async def test_a_fault_in_any_page_tells_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Whatever breaks while a page is made: no name of it, no word of it, every header."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    paths = list(dict.fromkeys(addresses(desk)))
    browsers: list[Browser] = [desk.signed_in(somebody(desk, role)) for role in Role]
    monkeypatch.setattr("storage.people.officers.names", broken)
    monkeypatch.setattr("storage.units.memberships.units_of", broken)
    monkeypatch.setattr("storage.audit.log.lines", broken)
    seen = 0
    for browser in browsers:
        for path in paths:
            response = await browser.client.get(path)
            is_fine(response, path)
            assert SECRET not in response.text
            assert "RuntimeError" not in response.text
            seen += response.status_code == 500
    assert seen > 5


async def test_a_fault_in_the_error_page_itself_tells_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(visit, "render", broken)
    transport = httpx.ASGITransport(
        app=desk.app, client=("127.0.0.1", 5000), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="https://x") as client:
        for path in ("/", "/sign-in", "/no/such"):
            response = await client.get(HOME + path, headers={"host": "127.0.0.1"})
            assert SECRET not in response.text
            if response.status_code == 500:
                is_fine(response, path)


async def test_the_other_doors_are_guarded_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Webhooks, health and figures, and what is no address at all."""
    monkeypatch.setattr("bot.webhooks.PATIENCE", 0.0)
    monkeypatch.setattr("bot.watch.readiness.QUICK", 0.1)
    keys = ServerKeys.new()
    found(database, keys)
    url = database.url.render_as_string(hide_password=False)
    environ = environment(url, keys, tmp_path)
    environ["KENTONGAN_TELEGRAM__MODE"] = "webhook"
    environ["KENTONGAN_SERVER__PUBLIC_URL"] = "https://lapor.example"
    app = create(loading.load(None, environ), environ=environ)
    paths = {getattr(route, "path", "") for route in app.routes} - {HOME}
    assert any(path.startswith("/webhooks/twilio") for path in paths)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        for path in (*sorted(paths), "/", "/no/such"):
            for method in (*METHODS, *RARE):
                response = await client.request(method, path or "/")
                is_fine(response, (method, path))
    app.state.house.hashing.shutdown()
    app.state.house.database.close()
