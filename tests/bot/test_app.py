"""The whole: it starts without its providers, keeps its loops, stops, refuses a demo."""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

import bot
from bot import app as whole
from bot.app import create
from bot.assembly.server import DemoRefused
from bot.clock import utc_now
from bot.console.visit import HOME
from bot.settings import loading
from bot.telemetry import log_fields
from storage.audit import installation
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.rekeying import server_key
from tests.support.doors import environment
from tests.support.running import found

HERE = "http://127.0.0.1"
SOURCES = Path(bot.__file__).parent
EVENT = re.compile(r"logs\.(?:event|failure)\(\s*\"([^\"]*)\"")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    keys = ServerKeys.new()
    url = f"sqlite:///{tmp_path / 'k.db'}"
    database = Database(url)
    found(database, keys)
    database.close()
    return environment(url, keys, tmp_path)


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_it_starts_and_stops_while_every_provider_is_down(
    environ: dict[str, str], mode: str
) -> None:
    environ["KENTONGAN_TELEGRAM__MODE"] = mode
    began = time.monotonic()
    app = create(loading.load(None, environ), environ=environ)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/console/")).status_code in {200, 303, 307}
        door = await client.post("/webhooks/telegram", content=b"{}")
        assert door.status_code == (403 if mode == "webhook" else 404)
    assert time.monotonic() - began < 5


async def test_a_server_is_seen_from_its_first_moment(environ: dict[str, str]) -> None:
    environ["KENTONGAN_TELEGRAM__MODE"] = "webhook"
    app = create(loading.load(None, environ), environ=environ)
    store = app.state.house.database
    async with app.router.lifespan_context(app):
        with pytest.raises(server_key.ServerRuns, match="stop it"):
            server_key.refuse_running(store, now=utc_now())
    store = Database(environ["KENTONGAN_DATABASE__URL"])
    server_key.refuse_running(store, now=utc_now())
    store.close()


def test_only_what_is_set_up_has_a_door(environ: dict[str, str]) -> None:
    for name in [one for one in environ if "TWILIO" in one or "TELEGRAM" in one]:
        del environ[name]
    app = create(loading.load(None, environ), environ=environ)
    paths = {getattr(route, "path", "") for route in app.routes}
    assert not [path for path in paths if path.startswith("/webhooks")]
    assert {"/healthz", "/readyz", "/metrics"} <= paths
    app.state.house.hashing.shutdown()
    app.state.house.database.close()


def test_a_demos_store_is_refused(environ: dict[str, str]) -> None:
    database = Database(environ["KENTONGAN_DATABASE__URL"])
    keys = ServerKeys.from_text(environ["KENTONGAN_KEYS__SERVER_KEY"])
    with database.writing() as session:
        installation.set_setting(session, keys, "demo", "yes")
    database.close()
    settings = loading.load(None, environ)
    with pytest.raises(DemoRefused):
        create(settings, environ=environ)
    app = create(settings, environ=environ, allow_demo=True)
    app.state.house.hashing.shutdown()
    app.state.house.database.close()


async def test_a_loop_that_breaks_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_REST", 0.0)
    tries: list[float] = []

    async def breaking() -> None:
        tries.append(utc_now().timestamp())
        if len(tries) < 3:
            raise httpx.ConnectError("down")

    async with asyncio.timeout(5):
        await whole._kept_alive("delivery", breaking)  # noqa: SLF001 - the promise itself
    assert len(tries) == 3


def test_every_event_has_a_name_that_the_log_admits() -> None:
    names = {
        name
        for path in SOURCES.rglob("*.py")
        for name in EVENT.findall(path.read_text("utf-8"))
    }
    assert len(names) > 8
    assert [name for name in names if log_fields.admit(name, "error", {}) is None] == []


def addresses(routes: Iterable[BaseRoute], above: str = "") -> Iterator[str]:
    """Yield the address of every route, mounts and all, with its holes filled."""
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(route.routes, above + route.path)
        elif isinstance(route, Route) and "{path:path}" not in route.path:
            yield above + re.sub(r"\{\w+\}", "00" * 16, route.path)


async def test_a_stroke_too_many_leads_nowhere(environ: dict[str, str]) -> None:
    """And no redirect repeats a host that the caller made up."""
    environ["KENTONGAN_WATCH__CANARY_MINUTES"] = "10"
    app = create(loading.load(None, environ), environ=environ)
    found = [one for one in addresses(app.routes) if not one.endswith("/")]
    assert {"/metrics", "/webhooks/canary", "/webhooks/twilio/sms"} <= set(found)
    assert len(found) > 60
    host = {"Host": "evil.example"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        for path in found:
            about = "/console/nowhere" if path.startswith("/console") else "/nowhere"
            for method in ("GET", "POST"):
                answer = await client.request(method, f"{path}/", headers=host)
                assert "location" not in answer.headers, path
                if path == HOME:
                    continue  # with its stroke it is the console's own first page
                stranger = await client.request(method, about, headers=host)
                assert (answer.status_code, answer.content, answer.headers) == (
                    stranger.status_code,
                    stranger.content,
                    stranger.headers,
                ), path
    app.state.house.hashing.shutdown()
    app.state.house.database.close()
