"""Who sends one wrong code after the other waits for themself; nobody else does."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.channels.telegram import Telegram
from bot.intake import proving
from bot.intake.proving import Proving
from bot.webhooks import as_bytes
from handlers.rules import numbering
from storage.crypto import server_key
from storage.words import Channel
from tests.support.doors import Doors, doors
from tests.support.polled import World, text, world_in

NUMBER = numbering.new_case_number(secrets.randbelow)
CODE = numbering.new_code(lambda below: below - 1)
STORY = "LAPOR Lurah minta 2 juta untuk tanda tangan surat tanah"
FLOODER, NEWCOMER = 666, 5001


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_in(tmp_path, queue=True) as made:
        yield made


class Slow:
    """Hashing that ends when it is told to, and not before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()
        real = server_key.receipt_key

        def waiting(*args: Any) -> bytes:
            self.begun.set()
            assert self.goes_on.wait(30)
            return real(*args)

        monkeypatch.setattr(server_key, "receipt_key", waiting)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow(monkeypatch)
    yield made
    made.goes_on.set()


@pytest.mark.parametrize("way", ["telegram", "sms"])
async def test_a_newcomer_at_the_doors_is_answered_while_a_flooders_codes_wait(
    door: Doors, slow: Slow, way: str
) -> None:
    def posts(words: str, person: int) -> Any:
        if way == "telegram":
            return door.telegram(door.update(words, person))
        return door.twilio("sms", door.sms(words, f"+62812{person:08}"))

    flood = [
        asyncio.create_task(posts(f"STATUS {NUMBER} {CODE}", FLOODER)) for _ in range(2)
    ]
    assert await asyncio.to_thread(slow.begun.wait, 10)
    assert (await posts(STORY, NEWCOMER)).is_success
    assert not any(task.done() for task in flood)
    assert len(door.cases()) == 1
    assert [str(NEWCOMER) in one.to for one in door.letters()] == [True]
    slow.goes_on.set()
    assert [answer.is_success for answer in await asyncio.gather(*flood)] == [True] * 2
    assert ["belum cocok" in one.text for one in door.letters()] == [True] * 2


async def test_what_finds_no_place_is_answered_at_once(door: Doors, slow: Slow) -> None:
    def posts() -> Any:
        return door.telegram(door.update(f"STATUS {NUMBER} {CODE}", FLOODER))

    flood = [asyncio.create_task(posts()) for _ in range(proving.BEHIND)]
    assert await asyncio.to_thread(slow.begun.wait, 10)
    async with asyncio.timeout(10):
        while door.app.intake.proving.waiting < proving.BEHIND:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
    assert (await posts()).is_success
    assert ["belum dicoba" in one.text for one in door.letters()] == [True]
    assert not any(task.done() for task in flood)
    slow.goes_on.set()
    await asyncio.gather(*flood)


async def test_the_poller_waits_for_no_code_of_another_chat(world: World) -> None:
    """Updates that come while a chat's code is tried are fetched and taken."""
    flooder = range(5, 15)
    world.holds = {flooder[0]: asyncio.Event()}
    world.queue.updates = [text(number, chat=FLOODER) for number in flooder]
    async with world.polling():
        await world.polls(2)
        world.queue.updates.append(text(90, chat=NEWCOMER))
        assert await world.takes(1) == [90]
        assert await world.cursor() == flooder[0]
        world.holds[flooder[0]].set()
        assert await world.takes(10) == [*flooder]
        await world.empty()
    assert world.given_up == []


async def test_a_poller_answers_a_newcomer_while_a_flooders_codes_wait(
    door: Doors, world: World, slow: Slow
) -> None:
    telegram = door.app.channels[Channel.TELEGRAM]
    assert isinstance(telegram, Telegram)
    answered = asyncio.Event()

    async def receive(update: Any) -> None:
        await door.app.intake.take(telegram, update, as_bytes(update))
        if update["message"]["chat"]["id"] == NEWCOMER:
            answered.set()

    world.receive = receive  # type: ignore[method-assign] # as its own tests do
    wrong = f"STATUS {NUMBER} {CODE}"
    world.queue.updates = [door.update(wrong, FLOODER) for _ in range(20)]
    async with world.polling():
        assert await asyncio.to_thread(slow.begun.wait, 10)
        world.queue.updates.append(door.update(STORY, NEWCOMER))
        async with asyncio.timeout(30):
            await answered.wait()
        assert door.app.intake.proving.waiting == 1
        assert [one.to for one in door.letters()] == [str(NEWCOMER)]
        slow.goes_on.set()
        await world.empty()


async def test_contacts_take_turns_and_all_of_them_together_are_bounded() -> None:
    order: list[str] = []
    begun, goes_on = threading.Event(), threading.Event()

    def proof(name: str) -> str:
        begun.set()
        assert goes_on.wait(30)
        order.append(name)
        return name

    with ThreadPoolExecutor(2) as hashing:
        line = Proving(hashing)

        def tries(name: str) -> asyncio.Task[str | None]:
            return asyncio.create_task(line.prove(name.encode(), lambda: proof(name)))

        waiting = [tries("flooder"), tries("flooder")]
        assert await asyncio.to_thread(begun.wait, 10)
        assert await tries("flooder") is None
        waiting += [tries(f"person {n}") for n in range(1, proving.PLACES)]
        assert await tries("one too many") is None
        goes_on.set()
        assert None not in await asyncio.gather(*waiting)
        assert line.waiting == 0
        assert await tries("one too many") == "one too many"
    people = [f"person {n}" for n in range(1, proving.PLACES)]
    assert order == ["flooder", *people, "flooder", "one too many"]


async def test_whose_turn_does_not_come_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proving, "PATIENCE", 0.01)
    goes_on = threading.Event()
    with ThreadPoolExecutor(2) as hashing:
        line = Proving(hashing)
        first = asyncio.create_task(line.prove(b"one", lambda: goes_on.wait(30)))
        await asyncio.sleep(0)
        assert await line.prove(b"two", lambda: True) is None
        goes_on.set()
        assert await first
        assert await line.prove(b"two", lambda: True) is True
