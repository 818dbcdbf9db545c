"""Two workers and one file: whoever comes late takes nothing away."""

import asyncio
import errno
import io
import os
import threading
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from PIL import Image
from sqlmodel import select

from bot.channels import base
from bot.evidence import clamav, converter
from bot.evidence import copying as opening
from bot.evidence import fetching as media_module
from bot.evidence.fetching import MediaWorker
from bot.jobs.scheduler import Scheduler
from bot.retention.keeper import Keeper
from bot.writer import Writer
from handlers import evidence as taking
from handlers.messages import Kind, Media
from storage.cases import reports
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import files
from storage.evidence.blobs import Away
from storage.evidence.sealed_files import PART, Sealer
from storage.jobs import jobs, watches
from storage.jobs.watches import Watched
from storage.models import File, Job
from storage.words import Channel, FileState, JobKind
from tests.support.desk import desk
from tests.support.migrated import migrate
from tests.support.unsealing import secret_for

STEPS = (
    *("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP", "LEWATI", "LEWATI"),
    *("LEWATI", "Kepala dinas minta uang"),
)


def picture():
    made = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(made, "PNG")
    return made.getvalue()


class Provider:
    """Holds one file; ``gate`` stops a download half way."""

    name = Channel.TELEGRAM

    def __init__(self, body):
        self.body = body
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    @asynccontextmanager
    async def fetch(self, _):
        async def chunks():
            yield self.body[:5]
            self.begun.set()
            await self.gate.wait()
            yield self.body[5:]

        yield base.Download("image/png", chunks())


class World:
    """A case with a file to fetch, and two workers on one folder."""

    def __init__(self, blob_store, here):
        self.here = here
        self.blob_store = blob_store
        self.folder = blob_store.path
        self.writer = Writer(here.database)
        self.slow, self.quick = Provider(picture()), Provider(picture())

    def worker(self, provider, *, scanner=""):
        return MediaWorker(
            self.writer,
            self.here.office,
            [provider],
            blob_store=self.blob_store,
            clock=lambda: self.here.now,
            scanner=scanner,
        )

    async def claims(self):
        (job,) = await self.due()
        return job

    async def due(self):
        return await self.writer.run(
            jobs.claim, self.here.keys, JobKind.FETCH, limit=1, now=self.here.now
        )

    def held_for(self):
        with self.here.database.reading() as session:
            fetching = select(Job.lease_until).where(Job.kind == JobKind.FETCH.value)
            until = session.exec(fetching).one()
        return until - self.here.now

    def names(self):
        return sorted("." + one.name.split(".")[1] for one in self.blob_store.blobs())

    def row(self):
        with self.here.database.reading() as session:
            return session.exec(select(File)).one()

    def evidence(self):
        """Open the working copy as the console does; None while there is none."""
        row, secret = self.unsealed()
        key = files.copy_key(row, secret)
        if key is None:
            return None
        return b"".join(self.blob_store.chunks(row.id, "copy", key))

    def facts(self):
        """Open what is known of the file, as the console does."""
        return files.details(*self.unsealed())

    def unsealed(self):
        case = self.here.case(self.here.receipt("555").number)
        house, keys = self.here.house, self.here.keys
        with self.here.database.reading() as session:
            secret = secret_for(
                session, keys, case.report, house.unit, house.unit_secret
            )
            (row,) = files.of_report(session, keys, case.report)
        return row, secret


@pytest.fixture
async def world(tmp_path, blob_store):
    database = Database(f"sqlite:///{tmp_path / 'k.db'}")
    migrate(database)
    here = desk(database, ServerKeys.new())
    for words in STEPS:
        here.say("555", words)
    here.say("555", "", kind=Kind.MEDIA, media=(Media("ref", "image/png", "a.png"),))
    here.say("555", "KIRIM")
    made = World(blob_store, here)
    made.writer.start()
    yield made
    await asyncio.to_thread(made.writer.stop)
    database.close()


async def test_a_late_worker_leaves_what_another_stored(world):
    slow = world.worker(world.slow)
    world.slow.gate.clear()
    late = asyncio.create_task(slow.work(await world.claims()))
    await world.slow.begun.wait()
    world.here.later(seconds=61)
    await world.worker(world.quick).work(await world.claims())
    stored = world.evidence()
    assert stored
    world.slow.gate.set()
    await late
    assert world.evidence() == stored
    assert world.names() == [".copy", ".original"]


async def test_a_worker_that_begins_after_its_lease_changes_nothing(world):
    late = await world.claims()
    world.here.later(seconds=61)
    await world.worker(world.quick).work(await world.claims())
    stored = world.evidence()
    assert stored
    await world.worker(world.slow).work(late)
    assert world.evidence() == stored
    assert world.names() == [".copy", ".original"]


async def test_a_late_refusal_leaves_what_another_stored(world):
    class Gone(Provider):
        @asynccontextmanager
        async def fetch(self, _):
            await self.gate.wait()
            if not self.body:
                raise base.Never("gone")
            yield

    late = await world.claims()
    world.here.later(seconds=61)
    await world.worker(world.quick).work(await world.claims())
    await world.worker(Gone(b"")).work(late)
    assert world.evidence()
    assert world.row().state == FileState.TAKEN


async def test_a_download_that_takes_too_long_is_tried_again(world, monkeypatch):
    monkeypatch.setattr(media_module, "FETCH_SECONDS", 0.05)
    world.quick.gate.clear()
    job = await world.claims()
    async with asyncio.timeout(10):
        await world.worker(world.quick).work(job)
    assert world.names() == []
    assert world.row().state == FileState.WAITING
    monkeypatch.undo()
    world.quick.gate.set()
    world.here.later(seconds=30)
    await world.worker(world.quick).work(await world.claims())
    assert world.evidence()


async def test_a_lease_is_held_on_while_a_file_is_under_way(world, monkeypatch):
    """Nobody else takes a job over because its file is large."""
    monkeypatch.setattr(media_module, "HOLD_SECONDS", 0.02)
    world.quick.gate.clear()
    job = await world.claims()
    busy = asyncio.create_task(world.worker(world.quick).work(job))
    await world.quick.begun.wait()
    world.here.later(seconds=50)
    async with asyncio.timeout(10):
        while world.held_for() < timedelta(seconds=60):  # noqa: ASYNC110 - the store tells
            await asyncio.sleep(0.01)
    world.here.later(seconds=50)
    assert await world.due() == []
    world.quick.gate.set()
    await busy
    assert world.evidence()


async def test_a_row_that_was_planted_is_not_filled(world):
    with world.here.database.writing() as session:
        row = session.exec(select(File)).one()
        row.copy_key = b"planted"
        session.add(row)
    await world.worker(world.quick).work(await world.claims())
    assert world.row().state == FileState.WAITING
    assert world.names() == []


async def test_a_report_that_went_takes_its_file_along(world, monkeypatch):
    """It was cancelled while its file was under way."""
    job = await world.claims()
    world.quick.gate.clear()
    busy = asyncio.create_task(world.worker(world.quick).work(job))
    await world.quick.begun.wait()
    report = bytes.fromhex(job.details["report"])
    monkeypatch.setattr(reports, "public_key", lambda *_: None)
    world.quick.gate.set()
    await busy
    assert len(report) == 16
    assert world.names() == []


async def test_the_sweep_goes_by_the_true_age(world):
    """Young files stay although their date is old; old parts go although their row lives."""
    await world.worker(world.quick).work(await world.claims())
    file_id = world.row().id.hex()
    for name in ("ab" * 16 + ".original", f"{file_id}.original.00{PART}"):
        path = world.folder / name[:2] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    scheduler = Scheduler(
        world.writer,
        world.here.office,
        holder="one",
        blob_store=world.blob_store,
        keeper=Keeper(
            world.writer,
            world.here.office,
            blob_store=world.blob_store,
            path=world.folder / "tombstones.log",
        ),
        clock=lambda: world.here.now,
    )
    await scheduler.sweep()
    assert len(world.names()) == 4, "all are young"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.jobs.scheduler._OLD_SECONDS", -60)
        await scheduler.sweep()
    assert world.names() == [".copy", ".original"]
    assert world.evidence()


async def test_a_server_that_stops_before_the_commit_loses_nothing(world, monkeypatch):
    """The verb is queued behind another when its worker is cancelled."""
    queued, go = asyncio.Event(), threading.Event()
    real, loop = opening.Opener.open, asyncio.get_running_loop()

    async def then_the_writer_is_busy(*given, **more):
        made = await real(*given, **more)
        busy.append(asyncio.create_task(world.writer.run(lambda _: go.wait(10))))
        return made

    act = world.writer.act

    async def told(office, now, verb, *given, **more):
        if verb is taking.taken:
            loop.call_soon(queued.set)
        return await act(office, now, verb, *given, **more)

    busy = []
    monkeypatch.setattr(opening.Opener, "open", then_the_writer_is_busy)
    worker = world.worker(world.quick)
    job = await world.claims()
    monkeypatch.setattr(world.writer, "act", told)
    work = asyncio.create_task(worker.work(job))
    await queued.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    go.set()
    await busy[0]
    monkeypatch.undo()
    await world.writer.run(lambda _: None)
    assert world.row().state == FileState.WAITING
    assert world.names() == []
    world.here.later(minutes=5)
    await world.worker(world.quick).work(await world.claims())
    assert world.evidence()


async def test_a_channel_that_is_not_set_up_may_come_back(world):
    worker = world.worker(world.quick)
    worker._channels = {}  # noqa: SLF001 - as settings without its token make it
    assert await worker.work(await world.claims())
    assert world.row().state == FileState.WAITING
    world.here.later(minutes=5)
    await world.worker(world.quick).work(await world.claims())
    assert world.evidence()


async def test_a_store_that_hangs_holds_up_no_other_thread(world, monkeypatch):
    go, hung = threading.Event(), threading.Semaphore(0)

    publish = media_module._publish  # noqa: SLF001 - it hangs, and then it does not

    def hangs(parts):
        hung.release()
        go.wait(10)
        publish(parts)

    monkeypatch.setattr(media_module, "_publish", hangs)
    worker = world.worker(world.quick)
    work = asyncio.create_task(worker.work(await world.claims()))
    others = [asyncio.create_task(worker._in_thread(hangs, ())) for _ in range(9)]  # noqa: SLF001 - as many more files
    await asyncio.to_thread(hung.acquire)
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: "free") == "free"
    go.set()
    await asyncio.gather(work, *others)


async def test_a_server_that_stops_does_not_wait_for_a_sandbox(world, monkeypatch):
    opening, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(_kind, pieces, *, sandbox, **_):
        assert list(pieces)
        loop.call_soon_threadsafe(opening.set)
        while not sandbox.is_killed:
            time.sleep(0.01)  # a thread, as of a sandbox that works on and on
        loop.call_soon_threadsafe(ended.set)
        return {"why": "slow"}

    monkeypatch.setattr(converter, "clean", endless)
    job = await world.claims()
    busy = asyncio.create_task(world.worker(world.quick).work(job))
    await opening.wait()
    busy.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await busy
        await ended.wait()
    assert world.row().state == FileState.WAITING
    assert world.names() == []


async def test_what_is_no_picture_has_no_copy(world):
    world.quick.body = b"%PDF-1.7 letter"
    await world.worker(world.quick).work(await world.claims())
    assert world.names() == [".original"]
    assert world.evidence() is None


async def test_a_file_waits_for_a_silent_scanner_and_is_never_lost(world):
    worker = world.worker(world.quick, scanner="/nowhere/clamd.ctl")
    await worker.work(await world.claims())
    assert world.row().state == FileState.WAITING
    assert world.names() == []
    world.here.later(hours=47)
    await worker.work(await world.claims())
    assert world.row().state == FileState.TAKEN
    assert world.names() == [".original"]
    assert world.facts()["why"] == "unscanned"


def stands(world):
    with world.here.database.reading() as session:
        row = watches.read(session).get(Watched.FILES)
    return row and (row.failures, row.code, row.bad)


@pytest.mark.parametrize("code", ["scanner", "bucket", "disk"])
async def test_what_keeps_files_from_being_taken_is_watched(world, monkeypatch, code):
    """To the hour: when a file came is nobody's business."""

    def full(*_):
        raise OSError(errno.ENOSPC, "no space left")

    def away(*_):
        raise Away

    world.here.later(minutes=17)
    hour = world.here.now.replace(minute=0, second=0, microsecond=0)
    monkeypatch.setattr(Sealer, "publish", {"disk": full, "bucket": away}.get(code))
    monkeypatch.setattr(
        type(world.blob_store.sealer(b"", "")), "publish", Sealer.publish
    )
    if code == "scanner":
        monkeypatch.undo()
    scanner = "/nowhere/clamd.ctl" if code == "scanner" else ""
    for failures in (1, 2):
        await world.worker(world.quick, scanner=scanner).work(await world.claims())
        assert stands(world) == (failures, code, hour)
        assert world.row().state == FileState.WAITING
        assert world.names() == []
        world.here.later(minutes=20)
    monkeypatch.undo()
    await world.worker(world.quick).work(await world.claims())
    assert stands(world) == (0, "", None)


async def test_while_nothing_fails_no_time_is_written(world):
    await world.worker(world.quick).work(await world.claims())
    assert world.evidence()
    assert stands(world) is None


async def test_what_the_scanner_finds_has_no_copy(world, monkeypatch):
    monkeypatch.setattr(clamav, "is_infected", lambda *_: True)
    worker = world.worker(world.quick, scanner="127.0.0.1:3310")
    await worker.work(await world.claims())
    assert world.names() == [".original"]
    assert world.evidence() is None
    assert world.facts()["why"] == "virus"
