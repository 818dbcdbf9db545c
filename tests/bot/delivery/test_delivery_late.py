"""A process that slept, and a case that was tampered with, on the way out."""

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlmodel import select

from bot.channels import base
from bot.channels.limits import Limits
from bot.delivery.delivery import Delivery
from bot.delivery.departures import START_SECONDS
from bot.delivery.outcomes import Written
from bot.writer import Writer
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.models import Case, Event, OutboxRow
from storage.notices import subscriptions
from storage.words import Channel, EventCode, LetterKind
from tests.support.desk import desk
from tests.support.migrated import migrate

FAST = Limits(
    text=4096, per_second=1000, per_chat_second=1000, chat_burst=1000, file_bytes=1
)


class Provider:
    """Answers with ``answer``; ``asks`` runs while it is asked whether it has a letter."""

    name, limits = Channel.TELEGRAM, FAST

    def __init__(self):
        self.answer: object = base.Sent("7", final=True)
        self.sent: list[str] = []
        self.asks = lambda: None

    async def send(self, letter):
        self.sent.append(letter.text)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def find(self, *_):
        self.asks()

    async def start(self): ...

    async def stop(self): ...

    async def erase(self, provider_id): ...

    def fetch(self, reference): ...


class World:
    """A desk, a provider and a delivery between them."""

    def __init__(self, database):
        self.here = desk(database, ServerKeys.new())
        self.wire = Provider()
        self.writer = Writer(database)
        self.counted = asyncio.Queue()
        self.delivery = Delivery(
            self.writer,
            self.here.keys,
            cast("Any", [self.wire]),
            clock=lambda: self.here.now,
            ends=Written(self.here.office),
            went_out=lambda *what: self.counted.put_nowait(what),
            longest_wait=0.05,
        )

    def post(self, **more):
        letter = Letter(LetterKind.NOTICE, Channel.TELEGRAM, "555", "ada kabar", **more)
        self.here.store(outbox.put, letter, now=self.here.now)

    def rows(self):
        with self.here.database.reading() as session:
            return session.exec(select(OutboxRow)).all()


@pytest.fixture
async def world(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'k.db'}")
    migrate(database)
    made = World(database)
    made.writer.start()
    yield made
    await asyncio.to_thread(made.writer.stop)
    database.close()


async def runs(world, until):
    """Deliver until something is counted, or ``until`` is set."""
    task = asyncio.create_task(world.delivery.run())
    async with asyncio.timeout(10):
        await until
    world.delivery.stop()
    await task


async def test_a_process_that_slept_leaves_the_letter_to_its_lease(world):
    """It claimed, was suspended, and wakes when another may have the letter."""
    world.post()
    woke = asyncio.Event()
    take = world.delivery.lines[0].pace.take

    def suspended(*args, **kwargs):
        world.here.later(seconds=START_SECONDS + 1)
        woke.set()
        return take(*args, **kwargs)

    world.delivery.lines[0].pace.take = suspended
    await runs(world, woke.wait())
    assert world.wire.sent == []
    (row,) = world.rows()
    assert row.lease_token is not None
    world.here.later(seconds=61)
    (again,) = world.here.store(
        outbox.claim, Channel.TELEGRAM, limit=5, now=world.here.now
    )
    assert again.doubtful, "whoever takes it next asks the provider first"


async def test_a_process_that_slept_while_it_asked_sends_nothing(world):
    world.post()
    world.here.store(outbox.claim, Channel.TELEGRAM, limit=5, now=world.here.now)
    world.here.later(seconds=61)
    asked = asyncio.Event()

    def suspended():
        world.here.later(seconds=START_SECONDS + 1)
        asked.set()

    world.wire.asks = suspended
    await runs(world, asked.wait())
    assert world.wire.sent == []
    assert len(world.rows()) == 1


async def test_a_letter_in_time_is_sent(world):
    world.post()
    await runs(world, world.counted.get())
    assert world.wire.sent == ["ada kabar"]


@pytest.mark.parametrize("tampered", [True, False])
async def test_a_tampered_case_costs_its_letter_and_no_more(world, tampered, caplog):
    case, slip = world.here.reports("555")
    world.here.say("555", f"KABAR NETRAL {slip}")
    world.here.delivers()
    world.post(case=case.report.hex())
    if tampered:
        with world.here.database.writing() as session:
            row = session.get(Case, case.report)
            row.urgency = 2 - row.urgency
            session.add(row)
    world.wire.answer = base.Unreachable("telegram.403")
    await runs(world, world.counted.get())
    assert world.wire.sent == ["ada kabar"], "tried once"
    assert world.rows() == []
    with world.here.database.reading() as session:
        told = session.exec(
            select(Event).where(Event.code == EventCode.UNREACHABLE.value)
        ).all()
        left = subscriptions.of_case(session, world.here.keys, case.report)
    assert left == []
    assert len(told) == (0 if tampered else 1)
    assert ("delivery.not_authentic" in caplog.text) is tampered
    assert timedelta(seconds=START_SECONDS) < outbox.LEASE
