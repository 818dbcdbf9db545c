"""The loop that both workers share: kinds in order, one strange job stops nobody."""

import asyncio
from contextlib import asynccontextmanager, suppress
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
        self.looks = asyncio.Semaphore(0)

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


class Counting(Hanging):
    """Hangs on "w" until it is let go; counts what is claimed and what goes back."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.goes_on, self.claimed = asyncio.Event(), 0

    def lane_of(self, job):
        return Worker.lane_of(self, job)

    async def work(self, job):
        if not self.goes_on.is_set():
            await self.goes_on.wait()
        return await Clerk.work(self, job)

    def _take(self, *args, **more):
        found, spoilt = super()._take(*args, **more)
        self.claimed += len(found)
        return found, spoilt


@asynccontextmanager
async def a_pile(tmp_path, *, goes_on):
    """Run a clerk before 200 jobs of one kind, who looks again very often."""
    world = World(tmp_path)
    world.clerk = Counting(
        world.writer, office_of(world.keys), clock=lambda: world.now, errors={}
    )
    world.clerk.beat = world.looks.release
    if goes_on:
        world.clerk.goes_on.set()
    world.writer.on_commit = world.clerk.notify
    world.writer.start()
    await world.put(*(f"{number:03}" for number in range(200)))
    task = asyncio.create_task(world.clerk.run())
    yield world
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await asyncio.to_thread(world.writer.stop)
    world.database.close()


@pytest.fixture
async def piled(tmp_path, monkeypatch):
    """Return a pile whose jobs hang."""
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.05)
    async with a_pile(tmp_path, goes_on=False) as world:
        yield world


async def test_a_pile_that_moves_is_claimed_once(tmp_path, monkeypatch):
    """Receipts after a crowd: what is not begun yet is not taken and put back."""
    monkeypatch.setattr(worker, "WAIT_SECONDS", 60.0)
    async with a_pile(tmp_path, goes_on=True) as world:
        assert len(await world.sees(200)) == 200
        assert world.clerk.claimed == 200


async def looks(world, times):
    async with asyncio.timeout(30):
        for _ in range(times):
            await world.looks.acquire()


async def test_what_hangs_is_not_claimed_again_and_again(piled):
    """However often it looks, and however late it is."""
    await looks(piled, 100)
    async with asyncio.timeout(30):
        while not piled.clerk._lanes[JobKind.FETCH].stuck:  # noqa: SLF001 - nothing tells it
            await looks(piled, 1)
    claimed = piled.clerk.claimed
    assert claimed <= worker.AHEAD + piled.clerk.at_once
    piled.now += timedelta(minutes=1)
    await looks(piled, 100)
    assert piled.clerk.claimed == claimed


async def test_when_it_goes_on_nothing_waits_for_its_time(piled):
    """What went back is called as places are freed: the clock stands still."""
    async with asyncio.timeout(30):
        while not piled.clerk._lanes.get(JobKind.FETCH, worker.Lane(1)).stuck:  # noqa: SLF001 - as above
            await looks(piled, 1)
    piled.clerk.goes_on.set()
    assert await piled.sees(200) == [f"{number:03}" for number in range(200)]


def test_what_waits_where_places_are_freed_stays():
    """A crowd's receipts are made slowly: none is claimed twice for that."""
    lane = worker.Lane(places=1, busy=1)
    job = jobs.Claimed(b"1", b"", JobKind.RECEIPT, {}, 1, NOW)
    lane.wait(job, 100.0)
    lane.moved = 104.0
    assert lane.too_long(105.0) == []
    assert not lane.stuck
    assert lane.too_long(100.1 + worker.LONGEST_WAIT) == [job]
    lane.wait(job, 200.0)
    assert lane.too_long(200.1 + worker.WAIT_SECONDS) == [job]
    assert lane.stuck


def test_the_more_went_back_the_later_they_are_due():
    """A lane among others that go on is claimed for with them: that must not be often."""
    lane = worker.Lane(places=4)
    waits = []
    for number in range(3000):
        job = jobs.Claimed(number.to_bytes(16), b"", JobKind.ERASE, {}, 1, NOW)
        waits.append(lane.goes_back([job], 0.0))
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (worker.FULL_SECONDS, worker.LONGEST_SECONDS)
