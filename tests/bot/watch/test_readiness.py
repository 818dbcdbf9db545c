"""Ready means: this process can take a message durably now. Each way not to be."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from bot.telemetry.heartbeats import SILENT
from bot.watch import readiness
from bot.writer import Writer, WriterFull
from storage.jobs import watches
from storage.models import Watch
from tests.support.doors import Doors, doors

TOKEN = {"Authorization": "Bearer " + "m" * 20, "X-Forwarded-For": "10.0.0.1"}
STRANGER = {"X-Forwarded-For": "10.0.0.1"}
Broken = Callable[[Doors], AbstractContextManager[None]]


@pytest.fixture
async def door(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Doors]:
    monkeypatch.setattr(readiness, "FRESH", 0.0)
    async with doors(database_url, tmp_path, SERVER__METRICS_TOKEN="m" * 20) as opened:
        yield opened


async def told(door: Doors) -> tuple[int, list[str]]:
    """Ask twice: what a stranger and what a monitor hear."""
    answer = await door.client.get("/readyz", headers=STRANGER)
    plain = "ready\n" if answer.status_code == 200 else "not ready\n"
    assert answer.text == plain, "a stranger hears no reason"
    answer = await door.client.get("/readyz", headers=TOKEN)
    return answer.status_code, answer.text.splitlines()[1:]


@contextmanager
def _sql(door: Doors, *statements: str) -> Iterator[None]:
    with door.app.database.writing() as session:
        for statement in statements:
            session.connection().execute(text(statement))
    yield


@contextmanager
def locked(door: Doors) -> Iterator[None]:
    """Hold what every write needs, as another process would; nobody waits for it for long."""
    with pytest.MonkeyPatch.context() as impatient, _held(door):
        impatient.setattr(readiness, "QUICK", 0.05)
        yield


@contextmanager
def _held(door: Doors) -> Iterator[None]:
    if not door.app.database.is_sqlite:
        with Session(door.app.database.write_engine) as session:
            session.connection().execute(text("LOCK TABLE watches IN EXCLUSIVE MODE"))
            yield
            session.rollback()
        return
    other = sqlite3.connect(door.app.database.url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def full(door: Doors) -> Iterator[None]:
    """Let the store take no page more; PostgreSQL: no row."""
    if not door.app.database.is_sqlite:
        refuse = "CREATE RULE full_disk AS ON INSERT TO watches DO ALSO SELECT 1/0"
        with _sql(door, refuse):
            yield
        return
    engine = door.app.database.write_engine
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("CREATE TABLE filler (rest BLOB)")
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
        connection.exec_driver_sql(
            "INSERT INTO filler VALUES (zeroblob(?))", (free * 4096,)
        )
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    with _each_time(engine, f"PRAGMA max_page_count={pages}"):
        yield


@contextmanager
def _each_time(engine: Engine, statement: str) -> Iterator[None]:
    """Say something to every connection before it is used."""

    def on_checkout(connection: Any, *_: object) -> None:
        connection.execute(statement)

    event.listen(engine, "checkout", on_checkout)
    yield
    event.remove(engine, "checkout", on_checkout)


@contextmanager
def read_only(door: Doors) -> Iterator[None]:
    if not door.app.database.is_sqlite:
        name = door.app.database.url.database
        with _sql(
            door, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'
        ):
            door.app.database.close()
            yield
        return
    with _each_time(door.app.database.write_engine, "PRAGMA query_only=ON"):
        yield


@contextmanager
def away(door: Doors) -> Iterator[None]:
    """Let nothing answer where the store is."""
    engine = door.app.database.write_engine

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    engine.dispose()
    before = engine.pool._creator  # noqa: SLF001 - there is no other way to cut the line
    engine.pool._creator = refuse  # type: ignore[assignment]  # noqa: SLF001 - as above
    yield
    engine.pool._creator = before  # noqa: SLF001 - as above


@contextmanager
def older_schema(door: Doors) -> Iterator[None]:
    with _sql(door, "UPDATE alembic_version SET version_num = '0002'"):
        yield


@contextmanager
def no_route(door: Doors) -> Iterator[None]:
    with _sql(door, "DELETE FROM routes"):
        yield


@contextmanager
def loop_stands_still(door: Doors) -> Iterator[None]:
    now = [0.0]
    door.app.beats.clock = lambda: now[0]
    door.app.beats.expect("delivery")
    now[0] = SILENT["delivery"] + 1
    yield
    door.app.beats.beat("delivery")


WAYS: list[tuple[Broken, str]] = [
    (locked, "store"),
    (full, "store"),
    (read_only, "store"),
    (away, "store"),
    (older_schema, "schema"),
    (no_route, "house"),
    (loop_stands_still, "delivery"),
]


@pytest.mark.parametrize(("broken", "word"), WAYS, ids=[w.__name__ for w, _ in WAYS])
async def test_not_ready(door: Doors, broken: Broken, word: str) -> None:
    assert await told(door) == (200, [])
    with broken(door):
        assert await told(door) == (503, [word])
        assert (await door.client.get("/healthz")).status_code == 200


async def test_ready_again_when_it_is_over(door: Doors) -> None:
    with locked(door):
        assert (await told(door))[0] == 503
    async with asyncio.timeout(20):
        while (await told(door))[0] != 200:  # noqa: ASYNC110 - the probe that hung ends first
            await asyncio.sleep(0.05)


async def test_a_full_queue_is_not_ready(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise WriterFull

    monkeypatch.setattr(Writer, "run", refuse)
    assert await told(door) == (503, ["writer"])


async def test_a_dead_provider_does_not_make_us_unready(door: Doors) -> None:
    """The providers of this house do not answer at all: what comes in is stored."""
    assert await told(door) == (200, [])


async def test_a_flood_of_questions_is_one_look(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "FRESH", 60.0)
    probes = []
    before = watches.probe

    def count(*args: object, **kwargs: object) -> None:
        probes.append(1)
        before(*args, **kwargs)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(watches, "probe", count)
    answers = await asyncio.gather(
        *(door.client.get("/readyz", headers=STRANGER) for _ in range(200))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(probes) == 1


async def test_a_probe_leaves_nothing_but_its_time(door: Doors) -> None:
    await told(door)
    with door.app.database.reading() as session:
        row = session.get(Watch, "store")
    assert row is not None
    assert (row.code, row.bad) == ("", None)
    assert row.good is not None


async def test_a_store_that_hangs_costs_one_waiting_call(door: Doors) -> None:
    with locked(door):
        for _ in range(5):
            assert (await told(door))[0] == 503
        assert door.app.writer.waiting <= 1
