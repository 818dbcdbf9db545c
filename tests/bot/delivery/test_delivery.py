"""The way out, on the real outbox and writer; only the providers are made up."""

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel, col, select

from bot.channels import base
from bot.channels.limits import Limits
from bot.delivery import delivery, departures, ledger
from bot.delivery.delivery import Delivery
from bot.delivery.ledger import departure_of
from bot.telemetry import breaker
from bot.telemetry.metrics import Departure
from bot.writer import Writer
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.models import Departed, OutboxRow
from storage.notices import failed as failed_letters
from storage.words import Channel, LetterKind

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
FAST = Limits(
    text=4096, per_second=1000, per_chat_second=1000, chat_burst=1000, file_bytes=1
)
SENT = base.Sent("7", final=True)
PATIENCE = 30


class Provider:
    """A channel whose answers are told beforehand, person by person."""

    def __init__(self, name=Channel.TELEGRAM, limits=FAST):
        self.name, self.limits = name, limits
        self.answers: dict[str, list[object]] = {}
        self.known: base.Sent | None = None
        self.sent: list[str] = []
        self.asked: list[str] = []
        self.under_way = 0
        self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Semaphore(0)

    async def send(self, letter):
        self.sent.append(letter.text)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.begun.release()
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        answers = self.answers.get(letter.to)
        answer = answers.pop(0) if answers else SENT
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def find(self, letter, since, _others=()):
        assert since < START + timedelta(hours=1)
        self.asked.append(letter.text)
        return self.known

    async def begins(self, times=1):
        async with asyncio.timeout(PATIENCE):
            for _ in range(times):
                await self.begun.acquire()


class House:
    """A store, a writer and a delivery that runs."""

    def __init__(self, database, providers, longest_wait):
        self.keys = ServerKeys.new()
        self.database = database
        self.writer = Writer(database)
        self.now = START
        self.departures: asyncio.Queue[tuple[Channel, Departure]] = asyncio.Queue()
        self.lost: list[str] = []
        self.delivery = Delivery(
            self.writer,
            self.keys,
            providers,
            clock=lambda: self.now,
            ends=self,
            went_out=lambda *what: self.departures.put_nowait(what),
            longest_wait=longest_wait,
        )
        self.writer.on_commit = self.delivery.notify

    def sent(self, session, claimed, **how):
        return outbox.sent(session, self.keys, claimed, **how)

    def dead(self, session, claimed, *, now):
        assert now == self.now
        return outbox.dead(session, claimed)

    def failed(self, session, claimed, *, reason, now):
        assert now == self.now
        return failed_letters.keep(session, claimed, reason, now=now)

    def unreachable(self, session, claimed, *, reason, now):
        assert now == self.now
        self.lost.append(reason)
        return outbox.dead(session, claimed)

    async def post(self, *texts, to="1", kind=LetterKind.REPLY, **fields):
        channel = fields.pop("channel", Channel.TELEGRAM)
        for text in texts:
            letter = Letter(kind, channel, to, text, **fields)
            await self.writer.run(outbox.put, self.keys, letter, now=self.now)

    async def hears(self, times=1):
        async with asyncio.timeout(PATIENCE):
            return [(await self.departures.get())[1] for _ in range(times)]

    def rows(self):
        with self.database.reading() as session:
            return session.exec(select(OutboxRow).order_by(col(OutboxRow.id))).all()

    def departed(self):
        with self.database.reading() as session:
            return session.exec(select(Departed)).all()

    def later(self, **span):
        self.now += timedelta(**span)
        self.delivery.notify()


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'k.db'}", wait=0.02)
    SQLModel.metadata.create_all(made.write_engine)
    yield made
    made.close()


def rests(monkeypatch, seconds):
    """Let a channel whose account is refused rest for so long at first."""
    span = {breaker.Cause.REFUSED: (seconds, breaker.LONGEST_REFUSED)}
    monkeypatch.setattr(breaker, "SPANS", breaker.SPANS | span)


@asynccontextmanager
async def running(database, *providers, longest_wait=60.0):
    house = House(database, providers, longest_wait)
    house.writer.start()
    task = asyncio.create_task(house.delivery.run())
    try:
        yield house
    finally:
        house.delivery.stop()
        async with asyncio.timeout(PATIENCE):
            await task
        await asyncio.to_thread(house.writer.stop)


async def test_a_letter_leaves_when_it_is_committed(database):
    wire = Provider()
    async with running(database, wire) as house:
        await house.post("satu")
        assert await house.hears() == [Departure.SENT]
        await house.post("dua")
        assert await house.hears() == [Departure.SENT]
        assert wire.sent == ["satu", "dua"]
        assert house.rows() == []


async def test_a_letter_with_a_status_to_come_leaves_a_row_and_holds_nobody(database):
    wire = Provider()
    wire.answers["1"] = [base.Sent("SM1", final=False)]
    async with running(database, wire) as house:
        await house.post("satu", "dua")
        assert await house.hears(2) == [Departure.SENT] * 2
        assert house.rows() == []
        assert [row.rank for row in house.departed()] == [0]
        assert wire.sent == ["satu", "dua"]


async def test_a_letter_in_retry_holds_back_its_person_alone(database):
    wire = Provider()
    wire.answers["1"] = [base.Later("x", 30)]
    async with running(database, wire) as house:
        await house.post("satu", "dua")
        assert await house.hears() == [Departure.LATER]
        await house.post("tiga", to="2")
        assert await house.hears() == [Departure.SENT]
        assert wire.sent == ["satu", "tiga"]
        house.later(seconds=31)
        assert await house.hears(2) == [Departure.SENT] * 2
        assert wire.sent == ["satu", "tiga", "satu", "dua"]


@pytest.mark.parametrize(
    ("error", "departure", "doubtful", "soonest", "latest"),
    [
        (base.Later("x", 7), Departure.LATER, False, 7, 7),
        (base.Later("x"), Departure.LATER, False, 1.5, 2.53),
        (base.Doubtful("x"), Departure.DOUBTFUL, True, 1.5, 2.53),
        (base.Doubtful("x", 9), Departure.DOUBTFUL, True, 9, 9),
        (base.Misconfigured("x"), Departure.LATER, False, 30, 30),
    ],
    ids=lambda value: str(value)[-40:],
)
async def test_what_may_come_later_is_kept(
    database, error, departure, doubtful, soonest, latest
):
    wire = Provider()
    wire.answers["1"] = [error]
    async with running(database, wire) as house:
        await house.post("satu")
        assert await house.hears() == [departure]
        (row,) = house.rows()
        wait = (row.due - house.now).total_seconds()
        assert soonest <= wait <= latest
        assert (row.doubtful, row.lease_token) == (doubtful, None)


@pytest.mark.parametrize(
    ("error", "departure", "lost", "kept"),
    [
        (base.Never("x.400"), Departure.NEVER, [], ["x.400"]),
        (base.WindowClosed("x.63016"), Departure.NEVER, [], ["x.63016"]),
        (base.Unreachable("x.403"), Departure.UNREACHABLE, ["x.403"], []),
    ],
    ids=["never", "window", "unreachable"],
)
async def test_what_is_given_up_holds_back_nobody_and_waits_for_a_person(
    database, error, departure, lost, kept
):
    wire = Provider()
    wire.answers["1"] = [error]
    async with running(database, wire) as house:
        await house.post("satu", "dua")
        assert await house.hears(2) == [departure, Departure.SENT]
        assert house.lost == lost
        assert [row.failed for row in house.rows()] == kept
        house.later(hours=1)
        await house.post("tiga")
        assert await house.hears() == [Departure.SENT]
        assert wire.sent == ["satu", "dua", "tiga"], "never by itself"


@pytest.mark.parametrize("error", [base.Unreachable("x"), base.Never("x")])
async def test_an_acknowledgment_that_is_refused_ends_outside_the_order(
    database, error
):
    wire = Provider()
    wire.answers["1"] = [base.Later("x", 30), error]
    async with running(database, wire) as house:
        await house.post("satu")
        await house.hears()
        await house.post("klik", kind=LetterKind.ACK, press_id="p")
        await house.hears()
        assert wire.sent == ["satu", "klik"]
        assert [row.priority for row in house.rows()] == [1]
        assert house.lost == []


@pytest.mark.parametrize("error", [base.Later("x"), base.Doubtful("x", 1)])
async def test_an_acknowledgment_that_failed_is_tried_again_for_its_15_seconds(
    database, error
):
    wire = Provider()
    wire.answers["1"] = [base.Later("x", 30), error, SENT, error, error]
    async with running(database, wire) as house:
        await house.post("satu")
        await house.hears()
        await house.post("klik", kind=LetterKind.ACK, press_id="p")
        assert await house.hears() == [departure_of(error)]
        house.later(seconds=4)
        assert await house.hears() == [Departure.SENT]
        assert wire.sent == ["satu", "klik", "klik"]
        await house.post("lagi", kind=LetterKind.ACK, press_id="q")
        assert await house.hears() == [departure_of(error)]
        house.later(seconds=15)
        assert await house.hears() == [Departure.EXPIRED]
        assert [row.priority for row in house.rows()] == [1]


async def test_an_expired_letter_is_not_sent(database):
    wire = Provider()
    wire.answers["1"] = [base.Later("x", 20)]
    async with running(database, wire) as house:
        await house.post("satu", "dua")
        await house.hears()
        house.later(hours=25)
        assert await house.hears(2) == [Departure.EXPIRED] * 2
        assert wire.sent == ["satu"]
        assert house.rows() == []


@pytest.mark.parametrize(
    ("known", "sent"),
    [(SENT, ["satu"]), (None, ["satu", "satu"])],
    ids=["has", "has not"],
)
async def test_after_a_doubtful_end_the_provider_is_asked_first(database, known, sent):
    wire = Provider()
    wire.answers["1"] = [base.Doubtful("x", 1)]
    wire.known = known
    async with running(database, wire) as house:
        await house.post("satu")
        assert await house.hears() == [Departure.DOUBTFUL]
        house.later(seconds=2)
        assert await house.hears() == [Departure.SENT]
        assert (wire.asked, wire.sent) == (["satu"], sent)
        assert house.rows() == []


async def test_a_doubt_stays_until_it_is_cleared(database):
    wire = Provider()
    wire.answers["1"] = [base.Doubtful("x", 1), base.Later("x", 1)]
    async with running(database, wire) as house:
        await house.post("satu")
        await house.hears()
        house.later(seconds=2)
        assert await house.hears() == [Departure.LATER]
        assert [row.doubtful for row in house.rows()] == [True]


async def test_an_answer_that_does_not_come_is_doubtful(database, monkeypatch):
    monkeypatch.setattr(departures, "SEND_SECONDS", 0.02)
    wire = Provider()
    wire.gate.clear()
    async with running(database, wire) as house:
        await house.post("satu")
        assert await house.hears() == [Departure.DOUBTFUL]
        assert [row.doubtful for row in house.rows()] == [True]


async def test_a_dead_provider_slows_no_other(database):
    dead, well = Provider(), Provider(Channel.SMS)
    dead.gate.clear()
    async with running(database, dead, well) as house:
        await house.post("satu")
        await dead.begins()
        await house.post("dua", channel=Channel.SMS)
        assert await house.hears() == [Departure.SENT]
        assert well.sent == ["dua"]
        dead.gate.set()


async def test_people_are_served_at_once_and_each_in_order(database):
    wire = Provider()
    wire.gate.clear()
    async with running(database, wire) as house:
        for person in "12345":
            await house.post(f"{person}a", f"{person}b", to=person)
        await wire.begins(5)
        assert sorted(wire.sent) == ["1a", "2a", "3a", "4a", "5a"]
        wire.gate.set()
        assert await house.hears(10) == [Departure.SENT] * 10
        assert wire.most >= 5
        for person in "12345":
            own = [text for text in wire.sent if text.startswith(person)]
            assert own == [f"{person}a", f"{person}b"]


async def test_a_slow_channel_claims_nothing_ahead(database):
    slow = Limits(
        text=160, per_second=0.01, per_chat_second=9, chat_burst=9, file_bytes=1
    )
    wire = Provider(limits=slow)
    async with running(database, wire) as house:
        for person in "123456":
            await house.post(person, to=person)
        assert await house.hears() == [Departure.SENT]
        assert [row.lease_token for row in house.rows()] == [None] * 5


async def test_stopping_finishes_what_is_under_way(database):
    wire = Provider()
    wire.gate.clear()
    async with running(database, wire) as house:
        await house.post("satu")
        await wire.begins()
        house.delivery.stop()
        await house.post("dua")
        wire.gate.set()
    assert wire.sent == ["satu"]
    assert len(house.rows()) == 1


async def test_a_store_that_is_away_when_a_letter_has_left_is_waited_for(
    database, tmp_path, monkeypatch
):
    monkeypatch.setattr(delivery, "STORE_SECONDS", 0.02)
    monkeypatch.setattr(ledger, "STORE_SECONDS", 0.02)
    wire = Provider()
    wire.gate.clear()
    other = sqlite3.connect(tmp_path / "k.db", isolation_level=None)
    async with running(database, wire) as house:
        await house.post("satu")
        await wire.begins()
        other.execute("BEGIN IMMEDIATE")
        wire.gate.set()
        await asyncio.sleep(0.3)
        other.execute("COMMIT")
        assert await house.hears() == [Departure.SENT]
        assert house.rows() == []
        assert wire.sent == ["satu"]
    other.close()


async def test_a_store_that_is_away_when_a_letter_is_due_is_waited_for(
    database, tmp_path, monkeypatch
):
    monkeypatch.setattr(delivery, "STORE_SECONDS", 0.02)
    monkeypatch.setattr(ledger, "STORE_SECONDS", 0.02)
    wire = Provider()
    other = sqlite3.connect(tmp_path / "k.db", isolation_level=None)
    async with running(database, wire, longest_wait=0.05) as house:
        await house.post("satu", to="1")
        await house.hears()
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(0.3)
        other.execute("COMMIT")
        await house.post("dua", to="1")
        assert await house.hears() == [Departure.SENT]
    other.close()


async def test_a_fault_of_ours_is_logged_without_content_and_stops_nobody(
    database, caplog
):
    wire = Provider()
    wire.answers["1"] = [KeyError("rahasia")]
    with caplog.at_level(logging.ERROR):
        async with running(database, wire) as house:
            await house.post("satu")
            await wire.begins()
            await house.post("dua", to="2")
            assert await house.hears() == [Departure.SENT]
            (row,) = house.rows()
            assert row.lease_token is not None
    assert "delivery.fault" in caplog.text
    assert "rahasia" not in caplog.text


async def test_a_letter_that_always_makes_us_stumble_lets_the_next_one_go(database):
    wire = Provider()
    wire.answers["1"] = [KeyError("rahasia")] * departures.FAULTS
    async with running(database, wire) as house:
        await house.post("satu", "dua")
        for _ in range(departures.FAULTS - 1):
            await wire.begins()
            house.later(seconds=61)
        assert await house.hears(2) == [Departure.NEVER, Departure.SENT]
        (row,) = house.rows()
        assert row.failed == "delivery.fault", "a person may try it again"
        assert wire.sent[-1] == "dua"


async def test_a_refused_account_stands_still_and_tells_the_operator(
    database, caplog, monkeypatch
):
    rests(monkeypatch, 0.2)
    wire, well = Provider(), Provider(Channel.SMS)
    wire.answers["1"] = [base.Misconfigured("x.401")] * 2
    with caplog.at_level(logging.ERROR):
        async with running(database, wire, well) as house:
            await house.post("satu")
            assert await house.hears() == [Departure.LATER]
            await house.post("dua", to="2")
            await house.post("tiga", channel=Channel.SMS)
            assert await house.hears() == [Departure.SENT]
            assert (wire.sent, well.sent) == (["satu"], ["tiga"])
            assert await house.hears() == [Departure.SENT]
            assert wire.sent == ["satu", "dua"]
    assert caplog.text.count("delivery.misconfigured") == 1


async def test_a_pause_grows_while_the_account_is_refused(database, monkeypatch):
    rests(monkeypatch, 0.05)
    wire = Provider()
    wire.answers["1"] = [base.Misconfigured("x.401")] * 3
    async with running(database, wire) as house:
        await house.post("satu")
        waits = []
        for _ in range(3):
            assert await house.hears() == [Departure.LATER]
            waits.append((house.rows()[0].due - house.now).total_seconds())
            house.later(seconds=10)
        assert await house.hears() == [Departure.SENT]
    assert waits == [0.05, 0.1, 0.2]


async def test_our_own_commits_wake_nobody(database):
    wires = [Provider(), Provider(Channel.SMS), Provider(Channel.WHATSAPP)]
    wires[0].answers["1"] = [base.Later("x", 600)]
    async with running(database, *wires) as house:
        await house.post("satu", "dua")
        await house.hears()
        await asyncio.sleep(0.1)
        before = len(house.writer.batches)
        await asyncio.sleep(0.3)
        assert len(house.writer.batches) - before == 0


async def test_many_letters_posted_at_once_all_leave(database):
    wire = Provider()
    async with running(database, wire) as house:
        await asyncio.gather(
            *(house.post(f"{person}", to=str(person)) for person in range(200))
        )
        assert await house.hears(200) == [Departure.SENT] * 200
        assert sorted(wire.sent, key=int) == [str(person) for person in range(200)]
        assert house.rows() == []
