"""A poller, what it takes and what it cannot, in front of a scripted Telegram."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from sqlmodel import SQLModel

from bot.channels.telegram import Telegram
from bot.intake import poller as poller_module
from bot.intake.poller import NAME, Poller
from bot.writer import StoreUnavailable, Writer
from storage.database.database import Database
from storage.jobs import leases
from tests.support.scripted import Answer, provider

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECONDS = 10
WINDOW = 100
"""How many updates Telegram hands over from an offset on."""


def text(update_id, chat=1):
    """Return a text of a chat, as an update."""
    return {"update_id": update_id, "message": {"chat": {"id": chat}, "text": "x"}}


class Queue:
    """What waits at Telegram: an offset confirms all below it.

    It stands where the scripted provider keeps its answers.
    """

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
        return Answer(body={"ok": True, "result": self.updates[:WINDOW]})


class World:
    """What the poller meets.

    ``poison`` raises what it holds, ``fails`` counts how often an update is not stored,
    ``holds`` lets one wait. ``given_up`` went into quarantine, unless ``keeps`` is False.
    """

    def __init__(self, server, writer, telegram):
        self.server, self.writer, self.telegram = server, writer, telegram
        self.poison: dict[int, Exception] = {}
        self.fails: dict[int, int] = {}
        self.holds: dict[int, asyncio.Event] = {}
        self.tries: list[int] = []
        self.taken: list[int] = []
        self.given_up: list[int] = []
        self.keeps = True
        self.told: list[str] = []
        self.news = asyncio.Condition()

    @property
    def queue(self):
        """What waits at Telegram (where it keeps a queue)."""
        return self.server.answers

    async def receive(self, update):
        number = update.get("update_id", -1)
        if number in self.holds:
            await self.holds[number].wait()
        async with self.news:
            self.tries.append(number)
            self.news.notify_all()
            if number in self.poison:
                raise self.poison[number]
            if self.fails.get(number, 0):
                self.fails[number] -= 1
                raise StoreUnavailable
            self.taken.append(number)

    async def give_up(self, update):
        if not self.keeps:
            raise StoreUnavailable
        async with self.news:
            self.given_up.append(update["update_id"])
            self.news.notify_all()

    async def tell(self, name, wrong):
        async with self.news:
            assert name == NAME
            if [wrong] != self.told[-1:]:
                self.told.append(wrong)
            self.news.notify_all()

    async def until(self, condition):
        """Wait until something is so, by what was tried, taken or told."""
        async with asyncio.timeout(SECONDS), self.news:
            await self.news.wait_for(condition)

    async def takes(self, times):
        """Wait until so many more were taken than when last asked; return them."""
        begun = getattr(self, "_seen", 0)
        await self.until(lambda: len(self.taken) >= begun + times)
        self._seen = begun + times
        return self.taken[begun : begun + times]

    async def polls(self, times):
        """Wait until Telegram was asked so often; return the offsets."""
        async with asyncio.timeout(SECONDS):
            asked = await self.server.asks("/getUpdates", times)
        return [int(one.form.get("offset", 0)) for one in asked]

    async def empty(self):
        """Wait until nothing waits at Telegram any more, as it was told."""
        async with asyncio.timeout(SECONDS):
            while self.queue.updates:
                self.queue.fetched.clear()
                await self.queue.fetched.wait()
            for _ in range(2):
                self.queue.fetched.clear()
                await self.queue.fetched.wait()
            self.queue.fetched.clear()

    async def cursor(self):
        return await self.writer.run(leases.cursor, NAME)

    @asynccontextmanager
    async def polling(self, holder="one"):
        """Run a poller."""
        poller = Poller(
            self.telegram.bot,
            self.writer,
            self.receive,
            give_up=self.give_up,
            tell=self.tell,
            clock=lambda: NOW,
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


def shorten_rests(monkeypatch):
    """Let the poller rest for moments only."""
    for name in ("FIRST_REST", "LEASE_REST", "HELD_REST"):
        monkeypatch.setattr(poller_module, name, 0.01)
    monkeypatch.setattr(poller_module, "LONGEST_REST", 0.02)
    monkeypatch.setattr(poller_module, "LONGEST_HOLD", 0.05)


@asynccontextmanager
async def world_in(folder, *, queue):
    """Yield a world with a store of its own; ``queue``: Telegram keeps what waits."""
    database = Database(f"sqlite:///{folder / 'k.db'}")
    SQLModel.metadata.create_all(database.write_engine)
    writer = Writer(database)
    writer.start()
    async with provider() as server:
        if queue:
            server.answers = Queue(server)
        telegram = Telegram("1:a", api_base_url=f"{server.url}/bot")
        yield World(server, writer, telegram)
        await telegram.stop()
    await asyncio.to_thread(writer.stop)
    database.close()
