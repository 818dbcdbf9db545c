"""How many may be connected, who goes when it is full, and who is given more time."""

import asyncio
import resource
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.assembly import connections
from bot.assembly.connections import MOST_PLACES, Places, neighbourhood, places_for
from bot.settings.sections import Server
from tests.support.serving import served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LONG = 32
"""MiB, more than sockets hold."""
HALF = b"GET / HTTP/1.1\r\nHost: a\r\n"


async def hello(scope, receive, send):
    if scope["type"] == "http":
        body = await Request(scope, receive).body()
        await Response(str(len(body)))(scope, receive, send)


class Long:
    """An application whose answer is long; ``gone`` is set when its reader is."""

    def __init__(self, pieces: int = LONG) -> None:
        self.pieces = pieces
        self.gone = asyncio.Event()

    async def __call__(self, _, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(self.pieces):
            size = (LONG << 20) // self.pieces
            body = {"type": "http.response.body", "body": bytes(size)}
            await send({**body, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


class Busy:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.asked.release()
        await self.may_answer.wait()
        await Response("late")(scope, receive, send)


def keeping(app, **terms):
    http = connections.bounded(Server(**terms))
    return served(app, http=http, ws="none", lifespan="off")


async def knock(address: str, says: bytes):
    url = httpx.URL(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(says)
    return reader, writer


async def read(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    ("peer", "whose"),
    [
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_whose_a_connection_is(peer, whose):
    assert neighbourhood(peer) == whose


@pytest.mark.parametrize(
    ("descriptors", "places"),
    [
        (256, 64),
        (1024, 768),
        (4096, MOST_PLACES),
        (resource.RLIM_INFINITY, MOST_PLACES),
    ],
)
def test_some_descriptors_stay_for_our_own_work(descriptors, places):
    assert places_for(descriptors) == places


def test_one_address_takes_no_more_than_its_share():
    people: list[Any] = [object() for _ in range(10)]
    places = Places(10, 2)
    taken = [places.take(one, "203.0.113.7") for one in people[:3]]
    assert taken == [True, True, False]
    assert places.take(people[3], "203.0.113.8")
    assert all(places.take(one, "127.0.0.1") for one in people[5:])
    places.give_back(people[2])  # who had none gives none back
    assert not places.take(people[4], "203.0.113.7")
    places.give_back(people[0])
    assert places.take(people[4], "203.0.113.7")


async def test_who_is_one_too_many_of_an_address_is_refused(monkeypatch):
    monkeypatch.setattr(connections, "is_loopback", lambda _: False)
    async with keeping(hello, connections_per_address=1) as url:
        first, one = await knock(url, HALF)
        second, other = await knock(url, GET)
        assert (await read(second)).startswith(b"HTTP/1.1 503")
        one.write(b"Connection: close\r\n\r\n")
        assert (await read(first)).startswith(b"HTTP/1.1 200")
        one.close()
        other.close()


async def test_when_it_is_full_whoever_waits_longest_goes():
    async with keeping(hello, connections=2) as url:
        first, one = await knock(url, HALF)
        second, other = await knock(url, HALF)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url)).status_code == 200
        assert await read(first) == b""
        other.write(b"Connection: close\r\n\r\n")
        assert (await read(second)).startswith(b"HTTP/1.1 200")
        one.close()
        other.close()


async def test_whom_we_owe_an_answer_keeps_the_place():
    busy = Busy()
    async with keeping(busy, connections=2) as url:
        asking = [await knock(url, GET) for _ in range(2)]
        for _ in asking:
            await busy.asked.acquire()
        third, writer = await knock(url, GET)
        assert (await read(third)).startswith(b"HTTP/1.1 503")
        busy.may_answer.set()
        for reader, one in asking:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            one.close()
        writer.close()


async def test_a_large_body_that_comes_steadily_has_time():
    size, pieces = 64 << 10, 6
    async with keeping(hello, body_seconds=1) as url:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: "
        reader, writer = await knock(url, head + b"%d\r\n\r\n" % (size * pieces))
        for _ in range(pieces):
            writer.write(b"a" * size)
            await asyncio.sleep(0.4)
        assert (await read(reader)).endswith(str(size * pieces).encode())
        writer.close()


async def test_a_slow_answer_is_no_slow_question():
    """We take as long as we need: no end of theirs counts then."""
    busy = Busy()
    async with keeping(busy, header_seconds=1, body_seconds=1, idle_seconds=1) as url:
        reader, writer = await knock(url, GET)
        await busy.asked.acquire()
        await asyncio.sleep(1.5)
        busy.may_answer.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_who_takes_nothing_of_an_answer_goes():
    app = Long()
    async with keeping(app, body_seconds=1) as url:
        _, writer = await knock(url, GET)  # its reader stops by itself after 128 KiB
        async with asyncio.timeout(20):
            await app.gone.wait()
        writer.close()


@pytest.mark.parametrize("pieces", [LONG, 1])
async def test_who_takes_an_answer_slowly_gets_it_all(pieces):
    app = Long(pieces)
    async with keeping(app, body_seconds=1) as url:
        reader, writer = await knock(url, GET)
        taken = 0
        for _ in range(7):
            taken += len(await reader.readexactly(2 << 20))
            await asyncio.sleep(0.4)
        taken += len(await reader.readexactly((LONG - 14) << 20))
        writer.close()
        await app.gone.wait()
    assert taken == LONG << 20
