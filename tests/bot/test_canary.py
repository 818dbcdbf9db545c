"""The canary goes through everything and leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlmodel import SQLModel, func, select

from bot import config
from bot.app import create
from bot.canary_door import HEADER, MOST_BYTES, PATH
from bot.house import House
from bot.logs import UVICORN_OPTIONS
from storage import watches
from storage.database import Database
from storage.keys import ServerKeys
from storage.words import Channel
from tests import house
from tests.doors import environment
from tests.running import Clock, answers, found, free_port


@dataclass
class Served:
    """A server without any provider, and what it was founded with."""

    app: House
    founded: house.House
    keys: ServerKeys
    clock: Clock
    url: str


@asynccontextmanager
async def served(database_url: str, folder: Path) -> AsyncIterator[Served]:
    keys, port, clock = ServerKeys.new(), free_port(), Clock()
    store = Database(database_url)
    founded = found(store, keys)
    store.close()
    environ = {
        name: value
        for name, value in environment(database_url, keys, folder).items()
        if "TELEGRAM" not in name and "TWILIO" not in name
    }
    environ |= {
        "KENTONGAN_WATCH__CANARY_MINUTES": "10",
        "KENTONGAN_SERVER__PORT": str(port),
    }
    app = create(config.load(None, environ), environ=environ, clock=clock)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, **UVICORN_OPTIONS)
    )
    serving = asyncio.create_task(server.serve())
    url = f"http://127.0.0.1:{port}"
    try:
        await answers(url)
        yield Served(app.state.house, founded, keys, clock, url)
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(database_url, tmp_path) as found:
        yield found


def rows(server: Served) -> dict[str, int]:
    """Count the rows of every table but the watches and leases."""
    with server.app.database.reading() as session:
        return {
            name: session.exec(select(func.count()).select_from(table)).one()
            for name, table in SQLModel.metadata.tables.items()
            if name not in {"watches", "leases"}
        }


async def test_a_canary_comes_back_and_leaves_no_row_behind(server: Served) -> None:
    before = rows(server)
    runner = server.app.canary
    assert runner is not None
    assert await runner.once() == ""
    assert rows(server) == before
    with server.app.database.reading() as session:
        watch = watches.read(session)["canary"]
    assert (watch.bad, watch.failures) == (None, 0)
    assert watch.good is not None
    assert 0 < runner.seconds < 20
    text = server.app.metrics.render().decode()
    assert 'kentongan_incoming_total{channel="canary",outcome="taken"}' in text
    assert await runner.once() == ""


async def test_only_the_canary_knows_its_door(server: Served) -> None:
    assert server.app.canary is not None
    secret = server.app.canary.door.secret
    async with httpx.AsyncClient(trust_env=False, base_url=server.url) as web:
        for headers in (
            {},
            {HEADER: ""},
            {HEADER: secret + "x"},
            {HEADER: "é".encode("latin-1")},
        ):
            answer = await web.post(PATH, content=b"{}", headers=headers)
            assert (answer.status_code, answer.content) == (404, b"")
        known = {HEADER: secret}
        answer = await web.post(PATH, content=b"x" * (MOST_BYTES + 1), headers=known)
        assert answer.status_code == 413
        for body in (
            b"",
            b"[]",
            b"{}",
            b'{"number": true}',
            b'{"number":1,"handle":[],"id":"x"}',
        ):
            answer = await web.post(PATH, content=body, headers=known)
            assert answer.status_code == 400
    assert Channel.CANARY in server.app.channels
