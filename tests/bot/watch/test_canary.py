"""The canary goes through everything and leaves nothing behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import SQLModel, func, select

from bot.app import create
from bot.assembly.server import House
from bot.delivery import repeats
from bot.settings import loading
from bot.watch import canary, health
from bot.watch.canary_door import HEADER, MOST_BYTES, PATH
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import watches
from storage.words import Channel, LetterKind
from tests.support import founded as house
from tests.support.doors import environment
from tests.support.listening import listening
from tests.support.running import Clock, found
from tests.support.serving import free_port, served


@dataclass
class Served:
    """A server without any provider, and what it was founded with."""

    app: House
    founded: house.House
    keys: ServerKeys
    clock: Clock
    url: str


@asynccontextmanager
async def watched(database_url: str, folder: Path) -> AsyncIterator[Served]:
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
    app = create(loading.load(None, environ), environ=environ, clock=clock)
    async with served(app, port) as url:
        yield Served(app.state.house, founded, keys, clock, url)


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with watched(database_url, tmp_path) as found:
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


async def test_the_cap_on_saying_the_same_is_not_for_the_canary(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = repeats.Cap(1, timedelta(hours=1))
    monkeypatch.setattr(repeats, "CAPS", dict.fromkeys(LetterKind, once))
    assert server.app.canary is not None
    assert [await server.app.canary.once() for _ in range(2)] == ["", ""]


async def test_who_is_lost_is_written_down(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts are made no more: the canary waits for its own, and is erased all the same."""

    async def never(*_: object) -> None:
        await asyncio.sleep(60)

    before = rows(server)
    monkeypatch.setattr(canary, "SILENCE", 1.0)
    monkeypatch.setattr(type(server.app.receipts), "work", never)
    assert server.app.canary is not None
    assert await server.app.canary.once() == "silent.receipt"
    assert rows(server) == before
    with server.app.database.reading() as session:
        watch = watches.read(session)["canary"]
    assert (watch.failures, watch.code) == (1, "silent.receipt")


async def test_only_who_leads_sends_it(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    flown: list[int] = []

    async def once(_: object) -> str:
        flown.append(1)
        raise asyncio.CancelledError

    runner = server.app.canary
    assert runner is not None
    monkeypatch.setattr(type(runner), "once", once)
    with pytest.raises(asyncio.CancelledError):
        await runner.run(timedelta(minutes=1), first=0.0)
    assert flown == [1]
    monkeypatch.setattr(runner, "_holder", "somebody else")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await runner.run(timedelta(minutes=1), first=0.0)
    assert flown == [1]


async def test_somebody_outside_is_called_without_data_and_may_be_away() -> None:
    asked: list[bytes] = []

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    async with listening(answer) as port:
        await health.call(f"http://127.0.0.1:{port}/alive/1234")
    assert len(asked) == 1, "no redirect is followed"
    assert asked[0].startswith(b"GET /alive/1234 HTTP/1.1")
    assert b"ookie" not in asked[0]
    await health.call(f"http://127.0.0.1:{port}/alive/1234")
    await health.call("")


async def test_an_answer_that_never_ends_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever answers for the one outside drips head or body, a byte before each timeout."""
    monkeypatch.setattr(health, "SECONDS", 0.4)
    hung_up = asyncio.Semaphore(0)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(starts.pop())
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
            await writer.wait_closed()
        hung_up.release()

    starts = [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"]
    async with listening(answer) as port, asyncio.timeout(5):
        for _ in range(2):
            await health.call(f"http://127.0.0.1:{port}/")
            await hung_up.acquire()
    assert starts == []


async def test_only_the_canary_knows_its_door(server: Served) -> None:
    assert server.app.canary is not None
    secret = server.app.canary.door.secret
    async with httpx.AsyncClient(trust_env=False, base_url=server.url) as web:
        for method in ("POST", "GET", "HEAD", "OPTIONS", "DELETE", "TRACE"):
            nowhere = await web.request(method, "/webhooks/nowhere")
            for headers in (
                {},
                {HEADER: ""},
                {HEADER: secret + "x"},
                {HEADER: secret[:-1]},
            ):
                answer = await web.request(method, PATH, headers=headers)
                assert (answer.status_code, answer.content, answer.headers) == (
                    404,
                    nowhere.content,
                    nowhere.headers,
                ), "as if there were no door"
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
