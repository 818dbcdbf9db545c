"""The one door for writes: batches, order, failures that stay alone, and cleaning up."""

import asyncio
import queue
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from bot.jobs.receipts import ReceiptMaker
from bot.lanes import BATCH
from bot.writer import StoreUnavailable, Writer, WriterFull
from handlers import inbox
from handlers.cases import officer
from handlers.cases.receipts import Opening
from handlers.conversation.exchange import names
from handlers.inbox import Outcome
from handlers.messages import Proof
from handlers.quarantine import keeping
from storage.cases import figures
from storage.crypto import server_key
from storage.database.database import Database
from storage.models import Case, Counter, Quarantine
from storage.words import Channel
from tests.journeys.telling import until
from tests.support import thief
from tests.support.desk import Desk, desk, text
from tests.support.hashing import quick

DAY = date(2026, 3, 2)


@asynccontextmanager
async def writing(database, **more):
    writer = Writer(database, **more)
    writer.start()
    try:
        yield writer
    finally:
        await asyncio.to_thread(writer.stop)


@asynccontextmanager
async def held(writer: Writer):
    """Keep every writing thread busy, so that what comes meanwhile is batched."""
    gate, inside = threading.Event(), threading.Semaphore(0)

    def wait(_: Session) -> None:
        inside.release()
        gate.wait(10)

    waiting = [
        asyncio.create_task(writer.run(wait)) for _ in range(writer.database.writers)
    ]
    for _ in waiting:
        await asyncio.to_thread(inside.acquire)
    try:
        yield
    finally:
        gate.set()
        await asyncio.gather(*waiting)


def count(name: str, log: list[str] | None = None):
    def verb(session: Session) -> str:
        figures.bump(session, name, day=DAY)
        if log is not None:
            log.append(name)
        return name

    return verb


def rescued(session: Session, error: BaseException) -> str:
    figures.bump(session, f"rescued {type(error).__name__}", day=DAY)
    return "rescued"


def counted(database) -> dict[str, int]:
    with database.reading() as session:
        return {row.name: row.count for row in session.exec(select(Counter))}


async def test_messages_share_a_commit_and_keep_each_persons_order(database):
    async with writing(database) as writer:
        log: list[str] = []
        async with held(writer):
            told = [
                asyncio.create_task(
                    writer.run_message(
                        count(f"{person}.{n:02}", log),
                        handles=[bytes([person]) * 32],
                        spare=rescued,
                    )
                )
                for n in range(20)
                for person in range(4)
            ]
            await asyncio.sleep(0)
        assert await asyncio.gather(*told) == [
            f"{person}.{n:02}" for n in range(20) for person in range(4)
        ]
        for person in range(4):
            mine = [name for name in log if name.startswith(f"{person}.")]
            assert mine == sorted(mine)
        assert max(writer.batches) > 1
        assert max(writer.batches) <= BATCH
    assert len(counted(database)) == 80


async def test_a_bad_message_goes_alone(database):
    def bad(session: Session) -> str:
        figures.bump(session, "never", day=DAY)
        raise ValueError

    async with writing(database) as writer:
        async with held(writer):
            told = [
                asyncio.create_task(
                    writer.run_message(
                        bad if n == 7 else count(f"m{n}"),
                        handles=[b"\0" * 32],
                        spare=rescued,
                    )
                )
                for n in range(20)
            ]
            await asyncio.sleep(0)
        said = await asyncio.gather(*told)
    assert said == ["rescued" if n == 7 else f"m{n}" for n in range(20)]
    found = counted(database)
    assert found.pop("rescued ValueError") == 1
    assert found == {f"m{n}": 1 for n in range(20) if n != 7}


async def test_a_conflict_is_tried_again_and_given_up_without_a_loss(database):
    class Clash(Exception):
        sqlstate = "40001"

    tries = {"twice": 0, "always": 0}

    def clashing(name: str, times: int):
        def verb(session: Session) -> str:
            tries[name] += 1
            figures.bump(session, name, day=DAY)
            if tries[name] <= times:
                raise OperationalError("x", {}, Clash())
            return name

        return verb

    async with writing(database) as writer:
        verb = clashing("twice", 2)
        one = await writer.run_message(verb, handles=[b"1" * 32], spare=rescued)
        assert one == "twice"
        verb = clashing("always", 99)
        with pytest.raises(StoreUnavailable):
            await writer.run_message(verb, handles=[b"1" * 32], spare=rescued)
        assert tries == {"twice": 3, "always": 6}
    assert counted(database) == {"twice": 1}


async def test_a_verb_runs_alone_and_its_error_is_its_callers(database):
    def fails(session: Session) -> None:
        figures.bump(session, "never", day=DAY)
        raise LookupError

    async with writing(database) as writer:
        async with held(writer):
            told = [
                asyncio.create_task(
                    writer.run_message(
                        count(f"m{n}"), handles=[b"\0" * 32], spare=rescued
                    )
                )
                for n in range(3)
            ]
            await asyncio.sleep(0)
            verb = asyncio.create_task(writer.run(fails))
            await asyncio.sleep(0)
        await asyncio.gather(*told)
        with pytest.raises(LookupError):
            await verb
    assert set(counted(database)) == {"m0", "m1", "m2"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_verb_ends_a_batch_and_runs_in_its_turn(database):
    log: list[str] = []

    def told(name: str):
        if name.startswith("verb"):
            return writer.run(count(name, log))
        return writer.run_message(count(name, log), handles=[b"\0" * 32], spare=rescued)

    names = ["m1", "m2", "verb 1", "verb 2", "m3", "m4", "m5", "verb 3", "m6"]
    async with writing(database) as writer:
        async with held(writer):
            waiting = [asyncio.create_task(told(name)) for name in names]
            await asyncio.sleep(0)
            assert writer.waiting == len(names)
        assert await asyncio.gather(*waiting) == names
        assert writer.batches == [1, 2, 1, 1, 3, 1, 1]
    assert log == names


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_queued_is_written_before_the_writer_stops(database):
    async with writing(database) as writer:
        async with held(writer):
            waiting = [
                asyncio.create_task(
                    writer.run_message(
                        count(f"m{n}"), handles=[b"\0" * 32], spare=rescued
                    )
                )
                for n in range(3)
            ]
            await asyncio.sleep(0)
            stopping = asyncio.create_task(asyncio.to_thread(writer.stop))
            await until(lambda: writer.waiting > len(waiting), "the end is queued")
        await stopping
        assert await asyncio.gather(*waiting) == ["m0", "m1", "m2"]
        assert writer.batches == [1, 3]
    assert set(counted(database)) == {"m0", "m1", "m2"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_all_who_wait_are_told_when_somebody_else_holds_the_store(database):
    impatient = Database(str(database.url), wait=0.3)
    with closing(sqlite3.connect(str(database.url.database))) as other:
        other.execute("BEGIN IMMEDIATE")
        async with writing(impatient) as writer:
            told = [
                writer.run_message(count(f"m{n}"), handles=[b"\0" * 32], spare=rescued)
                for n in range(BATCH + 3)
            ]
            said = await asyncio.gather(*told, return_exceptions=True)
            assert [type(one) for one in said] == [StoreUnavailable] * len(told)
            assert len(writer.batches) == 1
    impatient.close()
    assert counted(database) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_queue_says_so(database, monkeypatch):
    writer = Writer(database)
    monkeypatch.setattr(writer, "_queues", [queue.Queue(2)])
    waiting = [asyncio.create_task(writer.run(count(f"{n}"))) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(WriterFull):
        await writer.run(count("too much"))
    for one in waiting:
        one.cancel()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_log_is_emptied_while_nothing_comes(database):
    log = Path(f"{database.url.database}-wal")
    async with writing(database) as writer:
        await writer.run(count("x"))
        await until(lambda: writer.clean and not log.stat().st_size, "the log is empty")


# --- with real messages


async def submit(writer: Writer, here: Desk, n: int) -> Outcome:
    incoming = text(f"LAPOR cerita ke-{n} tentang pungli", handle=f"{n}", name=f"id{n}")

    def verb(session: Session) -> Outcome:
        return inbox.receive(here.work(session), incoming, Opening(Proof.NONE))

    def spare(session: Session, _: BaseException) -> Outcome:
        return keeping.keep(here.work(session), b"x", "broken", channel=Channel.SMS)

    return await writer.run_message(
        verb, handles=names(here.office, incoming), spare=spare
    )


async def test_32_reports_at_once_lose_nothing(database, keys, monkeypatch):
    monkeypatch.setattr(server_key, "Argon2id", quick)
    here = desk(database, keys)
    async with writing(database) as writer:
        said = await asyncio.gather(*(submit(writer, here, n) for n in range(32)))
        assert said == [Outcome.TAKEN] * 32
        again = await asyncio.gather(*(submit(writer, here, n) for n in range(32)))
        assert again == [Outcome.REPEAT] * 32
        with here.database.reading() as session:
            assert session.exec(select(Quarantine)).all() == []
        await receipts_made(writer, here, makers=2)
        sari = here.house.supervisor.officer
        with here.database.reading() as session:
            reports = session.exec(select(Case.report)).all()
        taken = [
            writer.act(here.office, here.now, officer.take, report, by=sari)
            for report in reports
        ]
        assert await asyncio.gather(*taken) == [True] * 32
    rows = thief.rows_of(database)["cases"]
    assert len({row["number"] for row in rows}) == 32
    assert sorted(int(str(row["register_number"])) for row in rows) == list(
        range(1, 33)
    )
    assert len({row["receipt_salt"] for row in rows}) == 32
    given = [letter for letter in here.delivers() if letter.kind == "receipt"]
    assert len(given) == 32
    assert len({letter.to for letter in given}) == 32
    assert thief.rows_of(database)["jobs"] == []


async def receipts_made(writer: Writer, here: Desk, *, makers: int) -> None:
    """Let some makers run until no receipt is due."""
    with ThreadPoolExecutor(2) as hashing:
        made = [
            ReceiptMaker(writer, here.office, hashing=hashing, clock=lambda: here.now)
            for _ in range(makers)
        ]
        running = [asyncio.create_task(one.run()) for one in made]

        def notify() -> None:
            for one in made:
                one.notify()

        writer.on_commit = notify
        await until(
            lambda: not thief.rows_of(here.database)["jobs"], "no receipt is due"
        )
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
