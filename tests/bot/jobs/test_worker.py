"""The loop that both workers share: kinds in order, one strange job stops nobody."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel, select

from bot.jobs import worker
from bot.jobs.worker import Worker
from bot.writer import StoreUnavailable, Writer
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import jobs
from storage.models import Job
from storage.words import JobKind
from tests.support.desk import office_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Clerk(Worker):
    """Finishes what it can; ``errors`` names what it stumbles over."""

    kinds = (JobKind.FETCH, JobKind.ERASE)
    at_once = 2
    name = "media"

    def __init__(self, *args, errors, **more):
        super().__init__(*args, **more)
        self.errors = errors
        self.seen = asyncio.Queue()

    async def work(self, job):
        self.seen.put_nowait(job.details["n"])
        if job.details["n"] in self.errors:
            raise self.errors[job.details["n"]]
        await self._writer.run(jobs.done, job)
        return True


class World:
    def __init__(self, tmp_path):
        self.database = Database(f"sqlite:///{tmp_path / 'k.db'}")
        SQLModel.metadata.create_all(self.database.write_engine)
        self.keys = ServerKeys.new()
        self.writer = Writer(self.database)
        self.now = NOW
        self.clerk = Clerk(
            self.writer, office_of(self.keys), clock=lambda: self.now, errors={}
        )
        self.writer.on_commit = self.clerk.notify

    async def put(self, *names, kind=JobKind.FETCH, **more):
        for name in names:
            await self.writer.run(
                jobs.put, self.keys, kind, {"n": name}, now=self.now, **more
            )

    async def sees(self, times):
        async with asyncio.timeout(10):
            return sorted([await self.clerk.seen.get() for _ in range(times)])

    def left(self):
        with self.database.reading() as session:
            return len(session.exec(select(Job)).all())


@pytest.fixture
async def world(tmp_path):
    made = World(tmp_path)
    made.writer.start()
    task = asyncio.create_task(made.clerk.run())
    yield made
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await asyncio.to_thread(made.writer.stop)
    made.database.close()


async def test_a_commit_wakes_it_and_everything_due_is_done(world):
    await world.put("1", "2", "3", "4", "5")
    assert await world.sees(5) == ["1", "2", "3", "4", "5"]
    await world.put("6", kind=JobKind.ERASE)
    assert await world.sees(1) == ["6"]


@pytest.mark.parametrize("error", [StoreUnavailable(), RuntimeError("strange")])
async def test_a_strange_job_is_left_to_its_lease_and_stops_nobody(
    world, error, caplog
):
    world.clerk.errors = {"1": error}
    await world.put("1", "2")
    assert await world.sees(2) == ["1", "2"]
    await world.put("3")
    assert await world.sees(1) == ["3"]
    assert ("media.failed" in caplog.text) is isinstance(error, RuntimeError)
    world.clerk.errors = {}
    world.now += timedelta(seconds=61)
    world.clerk.notify()
    assert await world.sees(1) == ["1"]


async def test_what_is_not_due_waits(world, monkeypatch):
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0.01)
    await world.put("1", due=NOW + timedelta(seconds=30))
    await world.put("2")
    assert await world.sees(1) == ["2"]
    world.now += timedelta(seconds=31)
    world.clerk.notify()
    assert await world.sees(1) == ["1"]


async def test_a_store_that_is_away_is_looked_at_again(world, monkeypatch):
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0.01)
    asked = asyncio.Queue()

    async def away(*_, **__):
        asked.put_nowait(None)
        raise StoreUnavailable

    await world.put("1", due=NOW + timedelta(seconds=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.writer, "run", away)
        world.now += timedelta(seconds=6)
        world.clerk.notify()
        async with asyncio.timeout(10):
            await asked.get()
            await asked.get()
    assert await world.sees(1) == ["1"]


class Hanging(Clerk):
    """Keeps lanes by the first letter of a name; what begins with "w" never ends."""

    def lane_of(self, job):
        return job.details["n"][0]

    async def work(self, job):
        if job.details["n"].startswith("w"):
            await asyncio.Event().wait()
        return await super().work(job)


async def test_a_lane_that_hangs_holds_up_no_other(tmp_path):
    world = World(tmp_path)
    world.clerk = Hanging(
        world.writer, office_of(world.keys), clock=lambda: world.now, errors={}
    )
    world.writer.on_commit = world.clerk.notify
    world.writer.start()
    await world.put(*(f"w{number}" for number in range(60)))
    task = asyncio.create_task(world.clerk.run())
    await world.put("t1", "t2", "t3")
    assert await world.sees(3) == ["t1", "t2", "t3"]
    assert len(world.clerk._under_way) <= world.clerk.at_once + 3  # noqa: SLF001 - bounded
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await asyncio.to_thread(world.writer.stop)
    assert world.left() == 60, "nothing is lost of what hangs"
    world.database.close()


def test_a_lane_that_fails_rests_and_then_tries_one_alone():
    lane = worker.Lane(places=4)
    for now in range(3):
        lane.breaker.away(now)
    lane.busy = 1
    assert lane.breaker.rest(2) > 0
    assert not lane.free(), "one alone"
    lane.breaker.answered(9)
    assert lane.free()
