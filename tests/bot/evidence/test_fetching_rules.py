"""Files are taken or refused, copies are erased: neither is given up in silence."""

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlmodel import select

from bot.channels import base
from bot.evidence.fetching import MediaWorker
from bot.writer import Writer
from handlers.messages import Kind, Media
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence.blobs import FolderStore
from storage.jobs import jobs
from storage.models import File, Job
from storage.words import Channel, FileState, JobKind
from tests.support.desk import desk
from tests.support.migrated import migrate

STEPS = (
    *("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP", "LEWATI", "LEWATI"),
    *("LEWATI", "Kepala dinas minta uang"),
)


class Provider:
    """Answers with ``error`` as long as there is one."""

    name = Channel.TELEGRAM

    def __init__(self):
        self.error = None
        self.asked = []

    def _answer(self, what):
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    @asynccontextmanager
    async def fetch(self, reference):
        self._answer(reference)

        async def chunks():
            yield b"%PDF evidence"

        yield base.Download("application/pdf", chunks())

    async def erase(self, provider_id):
        self._answer(provider_id)


class World:
    def __init__(self, tmp_path):
        database = Database(f"sqlite:///{tmp_path / 'kentongan.db'}")
        migrate(database)
        self.here = desk(database, ServerKeys.new())
        self.writer = Writer(database)
        self.provider = Provider()
        self.folder = tmp_path / "files"

    def worker(self, channels=None):
        return MediaWorker(
            self.writer,
            self.here.office,
            cast("Any", [self.provider]) if channels is None else channels,
            blob_store=FolderStore(self.folder),
            clock=lambda: self.here.now,
        )

    async def works(self, kind, channels=None):
        """Claim what is due and work on it; returns how many jobs there were."""
        found = await self.writer.run(
            jobs.claim, self.here.keys, kind, limit=9, now=self.here.now
        )
        for job in found:
            await self.worker(channels).work(job)
        return len(found)

    def sends_a_file(self):
        for words in STEPS:
            self.here.say("555", words)
        media = (Media("ref-1", "application/pdf", "a.pdf"),)
        self.here.say("555", "", kind=Kind.MEDIA, media=media)
        self.here.delivers()

    def state(self):
        with self.here.database.reading() as session:
            return session.exec(select(File.state)).one()

    def dues(self):
        with self.here.database.reading() as session:
            return session.exec(select(Job.due)).all()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.writer.start()
    yield made
    made.writer.stop()
    made.here.database.close()


async def test_a_file_whose_end_passed_while_nobody_worked_is_tried_once(world):
    world.sends_a_file()
    world.here.say("555", "KIRIM")
    world.here.later(days=5)
    assert await world.works(JobKind.FETCH) == 1
    assert world.state() == FileState.TAKEN


@pytest.mark.parametrize("error", [base.Later("test"), OSError()])
async def test_a_file_that_can_not_be_had_in_time_is_refused_aloud(world, error):
    world.sends_a_file()
    world.provider.error = error
    world.here.later(days=5)
    assert await world.works(JobKind.FETCH) == 1
    assert world.state() == FileState.LATE
    assert world.dues() == []
    texts = [letter.text for letter in world.here.delivers()]
    assert len(texts) == 1, "the reporter hears that the file did not come"


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        ("file.size", FileState.REFUSED, "paling besar 20 MB"),
        ("file.404", FileState.GONE, "sudah tidak ada di penyedia pesan"),
    ],
)
async def test_a_file_that_can_never_be_had_is_refused_aloud(world, code, state, words):
    world.sends_a_file()
    world.provider.error = base.Never(code)
    assert await world.works(JobKind.FETCH) == 1
    assert world.state() == state
    assert world.dues() == []
    (letter,) = world.here.delivers()
    assert words in letter.text
    assert "Cara lain: " in letter.text


async def test_a_worker_that_died_at_a_file_until_its_end_refuses_it(world):
    world.sends_a_file()
    claim = (jobs.claim, world.here.keys, JobKind.FETCH)
    await world.writer.run(*claim, limit=1, now=world.here.now)  # and never comes back
    world.here.later(days=5)
    assert await world.works(JobKind.FETCH) == 1
    assert world.state() == FileState.LATE
    assert world.provider.asked == []
    assert len(world.here.delivers()) == 1


@pytest.mark.parametrize("error", [base.Later("test"), base.Never("test"), None])
async def test_a_copy_is_to_be_erased_until_it_is(world, error):
    copy = {"channel": "telegram", "id": "SM1"}
    world.here.store(jobs.put, JobKind.ERASE, copy, now=world.here.now)
    world.provider.error = error
    channels = [] if error is None else None
    world.here.later(days=3)
    for _ in range(3):
        assert await world.works(JobKind.ERASE, channels) == 1
        assert world.dues() == [world.here.now + timedelta(days=1)]
        assert await world.works(JobKind.ERASE, channels) == 0
        world.here.later(days=1)
    world.provider.error = None
    assert await world.works(JobKind.ERASE) == 1
    assert world.dues() == []
    assert world.provider.asked[-1] == "SM1"


async def test_a_job_tried_a_thousand_times_is_tried_again(world):
    copy = {"channel": "telegram", "id": "SM1"}
    world.here.store(jobs.put, JobKind.ERASE, copy, now=world.here.now)
    with world.here.database.writing() as session:
        row = session.exec(select(Job)).one()
        row.attempts = 2000
        session.add(row)
    world.provider.error = base.Later("test")
    assert await world.works(JobKind.ERASE) == 1
    assert world.dues() == [world.here.now + timedelta(minutes=15)]


@pytest.mark.parametrize(
    "error",
    [
        base.Never("twilio.403"),
        base.Misconfigured("twilio.401"),
        base.Doubtful("twilio.503"),
        TimeoutError(),
    ],
)
async def test_an_erasure_that_is_refused_waits_longer_each_time(world, error):
    copy = {"channel": "telegram", "id": "SM1"}
    world.here.store(jobs.put, JobKind.ERASE, copy, now=world.here.now)
    world.provider.error = error
    pauses = []
    for _ in range(12):
        assert await world.works(JobKind.ERASE) == 1
        (due,) = world.dues()
        pauses.append((due - world.here.now).total_seconds())
        world.here.now = due
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 900
