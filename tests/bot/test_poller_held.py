"""Polling from a Telegram that behaves as the real one: an offset confirms all below it."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel

from bot import poller as poller_module
from bot.channels.telegram import Telegram
from bot.poller import NAME, Poller
from bot.writer import StoreUnavailable, Writer
from storage import leases
from storage.database import Database
from tests.scripted import Answer, provider

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECONDS = 10


def text(update_id, chat=1):
    return {"update_id": update_id, "message": {"chat": {"id": chat}, "text": "x"}}


class Queue:
    """What waits at Telegram; stands where the scripted provider keeps its answers."""

    def __init__(self, server):
        self.server = server
        self.updates = []
        self.fetched = asyncio.Event()

    def __len__(self):
        return 2

    def pop(self, _):
        asked = self.server.asked[-1]
        if asked.path.endswith("/deleteWebhook"):
            return Answer(body={"ok": True, "result": True})
        offset = int(asked.form.get("offset", 0))
        if offset:
            self.updates = [one for one in self.updates if one["update_id"] >= offset]
        self.fetched.set()
        return Answer(body={"ok": True, "result": self.updates[:100]})


class World:
    """A poller, what it takes, and whom it cannot take (``poison`` raises what it holds)."""

    def __init__(self, queue, writer, telegram):
        self.queue, self.writer, self.telegram = queue, writer, telegram
        self.poison: dict[int, Exception] = {}
        self.tries: list[int] = []
        self.taken: list[int] = []
        self.news = asyncio.Condition()
        self.now = NOW

    async def receive(self, update):
        number = update["update_id"]
        async with self.news:
            self.tries.append(number)
            self.news.notify_all()
            if number in self.poison:
                raise self.poison[number]
            self.taken.append(number)

    async def until(self, condition):
        async with asyncio.timeout(SECONDS), self.news:
            await self.news.wait_for(condition)

    async def empty(self):
        """Wait until nothing waits at Telegram any more, as it was told."""
        async with asyncio.timeout(SECONDS):
            while self.queue.updates:
                self.queue.fetched.clear()
                await self.queue.fetched.wait()
            self.queue.fetched.clear()
            await self.queue.fetched.wait()
            self.queue.fetched.clear()
            await self.queue.fetched.wait()

    async def cursor(self):
        return await self.writer.run(leases.cursor, NAME)

    @asynccontextmanager
    async def polling(self, holder="one"):
        poller = Poller(
            self.telegram.bot,
            self.writer,
            self.receive,
            clock=lambda: self.now,
            holder=holder,
            long_poll=0,
        )
        task = asyncio.create_task(poller.run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(autouse=True)
def short_rests(monkeypatch):
    for name in ("FIRST_REST", "LONGEST_REST", "LEASE_REST", "HELD_REST"):
        monkeypatch.setattr(poller_module, name, 0.01)
    monkeypatch.setattr(poller_module, "LONGEST_HOLD", 0.05)


@pytest.fixture
async def world(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'k.db'}")
    SQLModel.metadata.create_all(database.write_engine)
    writer = Writer(database)
    writer.start()
    async with provider() as server:
        server.answers = Queue(server)
        telegram = Telegram("1:a", api_base_url=f"{server.url}/bot")
        yield World(server.answers, writer, telegram)
        await telegram.stop()
    await asyncio.to_thread(writer.stop)
    database.close()


async def test_lower_numbers_after_a_quiet_week_and_a_restart_are_taken(world):
    world.queue.updates = [text(900_000)]
    async with world.polling():
        await world.until(lambda: world.taken == [900_000])
        await world.empty()
    assert await world.cursor() == 0, "an old offset would confirm what nobody has seen"
    world.queue.updates = [text(501)]
    async with world.polling("two"):
        await world.until(lambda: world.taken == [900_000, 501])


async def test_a_cursor_may_go_backwards(world):
    await world.writer.run(leases.hold, NAME, "one", seconds=60, now=NOW)
    assert await world.writer.run(leases.move_cursor, NAME, "one", 900_001)
    assert await world.writer.run(leases.move_cursor, NAME, "one", 502)
    assert await world.cursor() == 502


@pytest.mark.parametrize(("hours", "kept"), [(23, 900_001), (25, 0)])
async def test_a_process_that_was_away_for_a_day_begins_anew(world, hours, kept):
    """It ended with an offset; meanwhile Telegram may have numbered anew."""
    await world.writer.run(leases.hold, NAME, "old", seconds=0, now=NOW)
    await world.writer.run(leases.move_cursor, NAME, "old", 900_001)
    later = NOW + timedelta(hours=hours)
    await world.writer.run(leases.hold, NAME, "new", seconds=60, now=later)
    assert await world.cursor() == kept


@pytest.mark.parametrize("error", [StoreUnavailable(), RuntimeError("a bug")])
async def test_a_poison_message_holds_up_its_own_chat_alone(world, error, caplog):
    world.poison = {5: error}
    world.queue.updates = [text(4, chat=2), text(5), text(6), text(7, chat=2)]
    async with world.polling() as task:
        await world.until(lambda: world.taken == [4, 7])
        await world.until(lambda: world.tries.count(5) > 2)
        world.queue.updates.append(text(8, chat=3))
        await world.until(lambda: world.taken == [4, 7, 8])
        assert not task.done()
        waiting = [one["update_id"] for one in world.queue.updates]
        assert waiting == [5, 6, 7, 8], "nothing from the poison on is confirmed"
        assert await world.cursor() == 5
        held = [one for one in caplog.records if "poller.held" in one.getMessage()]
        assert held
        world.poison = {}
        await world.until(lambda: len(world.taken) == 5)
        await world.empty()
    assert world.taken == [4, 7, 8, 5, 6], "each once, each chat in its order"
    assert await world.cursor() == 0


async def test_a_restart_while_one_is_held_loses_nothing(world):
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5), text(6), text(7, chat=2)]
    async with world.polling():
        await world.until(lambda: 7 in world.taken)
    world.poison = {}
    async with world.polling("two"):
        await world.until(lambda: {5, 6, 7} <= {*world.taken})
        await world.empty()
    order = [number for number in world.taken if number != 7]
    assert order == [5, 6]


async def test_what_telegram_dropped_holds_nobody_up(world):
    """After a day Telegram forgets an update: it is still tried, the offset moves."""
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5), text(7, chat=2)]
    async with world.polling():
        await world.until(lambda: 7 in world.taken)
        del world.queue.updates[0]
        await world.empty()
        world.queue.updates = [text(8, chat=2)]
        await world.until(lambda: 8 in world.taken)
        world.poison = {}
        await world.until(lambda: 5 in world.taken)
        await world.empty()
    assert world.taken == [7, 8, 5]


async def test_a_poison_message_is_tried_less_and_less_often(world, monkeypatch):
    monkeypatch.setattr(poller_module, "LONGEST_HOLD", 60.0)
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5)]
    async with world.polling():
        await world.until(lambda: world.tries.count(5) == 4)
        first = asyncio.get_running_loop().time()
        await world.until(lambda: world.tries.count(5) == 5)
        assert asyncio.get_running_loop().time() - first >= 0.07


async def test_a_fault_of_our_own_never_brings_the_batch_back_at_once(
    world, caplog, monkeypatch
):
    """Not even when the poller's own steps fail: it rests, longer each time."""
    monkeypatch.setattr(poller_module, "LONGEST_REST", 0.02)
    slept = asyncio.Queue()
    real = asyncio.sleep

    async def sleep(span):
        slept.put_nowait(span)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(Poller, "_fetch", None)
    async with world.polling() as task, asyncio.timeout(SECONDS):
        assert [await slept.get() for _ in range(3)] == [0.01, 0.02, 0.02]
        assert not task.done()
    assert "poller.failed" in caplog.text
