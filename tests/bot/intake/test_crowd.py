"""A slow store makes providers wait and no memory grow; what was acknowledged is there, once."""

import asyncio
import time

import pytest
from sqlmodel import func, select
from starlette.requests import Request
from starlette.responses import Response

from bot import webhooks
from bot.intake import bodies, crowd
from bot.intake.crowd import Gate
from bot.writer import Writer
from storage.models import Inbox
from tests.bot.test_writer import held
from tests.journeys.telling import until
from tests.support.doors import SECRET, doors

REQUESTS, BYTES = 64, 256 << 10


@pytest.fixture
async def door(database_url, tmp_path):
    async with doors(database_url, tmp_path) as opened:
        opened.app.gate._requests = REQUESTS  # noqa: SLF001 - a small house
        opened.app.gate._most = BYTES  # noqa: SLF001 - as above
        yield opened


@pytest.fixture
async def lite(tmp_path):
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        opened.app.gate._requests = REQUESTS  # noqa: SLF001 - a small house
        opened.app.gate._most = BYTES  # noqa: SLF001 - as above
        yield opened


class Idle(Writer):
    """A writer that nothing waits for."""

    def __init__(self):
        pass

    waiting = 0

    def seconds_for(self, _):
        return 0.0


def taken(door) -> int:
    with door.app.database.reading() as session:
        return int(session.exec(select(func.count()).select_from(Inbox)).one())


async def test_six_hundred_requests_on_a_slow_store(lite, monkeypatch):
    """Each of 150 updates comes four times; Telegram comes again when it is refused."""
    attempt = lite.app.writer._attempt  # noqa: SLF001 - what makes a store slow

    def slowly(batch):
        time.sleep(0.05)
        return attempt(batch)

    monkeypatch.setattr(lite.app.writer, "_attempt", slowly)
    updates = [
        lite.update("BANTUAN", chat=6000 + number, pad="x" * 3000)
        for number in range(150)
    ]
    statuses: list[int] = []

    at_once = asyncio.Semaphore(120)

    async def push(update):
        async with at_once:
            while (answer := await lite.telegram(update)).status_code != 200:
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "2"
                statuses.append(503)
                await asyncio.sleep(0.2)
            statuses.append(200)

    async with held(lite.app.writer):
        pushing = [asyncio.create_task(push(one)) for one in updates * 4]
        await until(lambda: 503 in statuses, "Telegram is refused")
        await asyncio.sleep(0.3)
        assert taken(lite) == 0
        assert 200 not in statuses
    await asyncio.gather(*pushing)
    assert statuses.count(200) == 600
    assert statuses.count(503) > 100
    figures = lite.app.gate.figures
    assert figures.requests <= REQUESTS
    assert figures.bytes <= BYTES
    assert taken(lite) == 150
    assert lite.counted("telegram", "taken") == 150


async def test_twilio_waits_at_the_door_and_is_let_in(door, monkeypatch):
    """It does not come again, so it is not refused while there is hope."""
    monkeypatch.setattr(crowd, "PATIENCE", 60)
    monkeypatch.setattr(crowd, "_LOOK", 0.02)
    forms = [door.sms("BANTUAN", sender=f"+62812{n:08}") for n in range(90)]
    async with held(door.app.writer):
        knocking = [asyncio.create_task(door.twilio("sms", form)) for form in forms]
        await until(lambda: door.app.gate._waiting > 0, "some wait at the door")  # noqa: SLF001 - who waits
        await asyncio.sleep(0.3)
        assert not any(task.done() for task in knocking)
        assert door.app.gate.figures.requests <= REQUESTS
    answers = await asyncio.gather(*knocking)
    assert {answer.status_code for answer in answers} == {204}
    assert taken(door) == 90


async def test_twilios_patience_ends_too(door, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", 0.3)
    door.app.gate._requests = 0  # noqa: SLF001 - no room at all
    answer = await door.twilio("sms", door.sms("BANTUAN"))
    assert answer.status_code == 503


async def test_a_store_that_stands_still_is_told_to_telegram_before_a_body_is_read(
    door, monkeypatch
):
    monkeypatch.setattr(crowd, "SLOW", 0.2)
    async with held(door.app.writer):
        first = asyncio.create_task(door.telegram(door.update("BANTUAN")))
        await asyncio.sleep(0.5)
        assert (await door.telegram(door.update("BANTUAN"))).status_code == 503
    assert (await first).status_code == 200


async def test_a_stranger_whose_body_does_not_come_is_no_slow_store(monkeypatch):
    monkeypatch.setattr(crowd, "SLOW", 0.05)

    gate, never = Gate(Idle()), asyncio.Event()

    async def body(_):
        await never.wait()
        return Response()

    async def update(_):
        return Response()

    scope = {"type": "http", "headers": [(b"content-length", b"9")]}
    stranger = asyncio.ensure_future(gate.patiently(body)(Request(scope)))
    await asyncio.sleep(0.1)
    assert (await gate.at_once(update)(Request(scope))).status_code == 200
    never.set()
    await stranger


async def test_a_body_that_never_comes_gives_its_place_back(door, monkeypatch):
    """Also where a secret was shown: a proxy may have lost its client."""
    monkeypatch.setattr(bodies, "DRAINED", 0.1)
    door.app.gate._requests = 1  # noqa: SLF001 - one place

    async def cut():
        yield b"{"
        await asyncio.Event().wait()

    headers = {"x-telegram-bot-api-secret-token": SECRET, "content-length": "99"}
    path = "/webhooks/telegram"
    answer = await door.client.post(path, content=cut(), headers=headers)
    assert answer.status_code == 400
    assert (await door.telegram(door.update("BANTUAN"))).status_code == 200


def slow_of_late(writer):
    """Let it take a second for each message, for all that anybody knows."""
    writer._each = 1.0 * writer.database.writers  # noqa: SLF001 - it is measured, not told


@pytest.mark.parametrize("way", ["telegram", "sms"])
async def test_what_the_writer_holds_is_answered_when_it_is_durable(
    door, monkeypatch, way
):
    """However long it takes: a 503 for what is stored later is a report lost on Twilio."""
    monkeypatch.setattr(webhooks, "PATIENCE", 0.0)
    async with held(door.app.writer):
        if way == "sms":
            knock = asyncio.create_task(door.twilio("sms", door.sms("BANTUAN")))
        else:
            knock = asyncio.create_task(door.telegram(door.update("BANTUAN")))
        await until(lambda: door.app.writer.waiting > 0, "it is queued")
        done, _ = await asyncio.wait({knock}, timeout=0.3)
        assert not done
    assert (await knock).is_success
    assert taken(door) == 1


async def test_telegram_is_refused_where_the_line_is_too_long(door):
    """Whoever was refused is not in the store, whoever was not is."""
    slow_of_late(door.app.writer)
    updates = [door.update("BANTUAN", chat=6000 + number) for number in range(40)]
    async with held(door.app.writer):
        knocking = [asyncio.create_task(door.telegram(one)) for one in updates]
        await until(
            lambda: sum(task.done() for task in knocking) >= 35, "35 are refused"
        )
        assert {task.result().status_code for task in knocking if task.done()} == {503}
    answers = [task.result() for task in knocking if task.done()]
    assert {answer.headers["retry-after"] for answer in answers} == {"2"}
    codes = [answer.status_code for answer in await asyncio.gather(*knocking)]
    assert codes.count(200) == taken(door) == 5


async def test_a_crowd_on_twilios_door_is_taken_as_fast_as_it_can_be(door, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", 60)
    monkeypatch.setattr(crowd, "_LOOK", 0.01)
    slow_of_late(door.app.writer)
    forms = [door.sms("BANTUAN", sender=f"+62812{n:08}") for n in range(40)]
    async with held(door.app.writer):
        knocking = [asyncio.create_task(door.twilio("sms", form)) for form in forms]
        await until(lambda: door.app.gate._waiting == 35, "the others wait")  # noqa: SLF001 - who waits
        assert door.app.gate.figures.requests == 5
    answers = await asyncio.gather(*knocking)
    assert {answer.status_code for answer in answers} == {204}
    assert taken(door) == 40


async def test_strangers_on_twilios_door_leave_telegrams_open(door, monkeypatch):
    """Nobody knows whose a body is until it came, so those who send none hold half at most."""
    monkeypatch.setattr(bodies, "ARRIVES", 1.0)
    monkeypatch.setattr(crowd, "PATIENCE", 0.2)
    never, reading = asyncio.Event(), asyncio.Semaphore(0)

    async def no_body():
        reading.release()
        yield b"From="
        await never.wait()

    async def knocks():
        headers = {"x-twilio-signature": "guess", "content-length": "99"}
        return await door.client.post(
            "/webhooks/twilio/sms", content=no_body(), headers=headers
        )

    strangers = [asyncio.create_task(knocks()) for _ in range(2 * REQUESTS)]
    for _ in range(REQUESTS // 2):
        await reading.acquire()
    assert (await door.telegram(door.update("BANTUAN"))).status_code == 200
    assert door.app.gate.figures.requests <= REQUESTS // 2 + 1
    answers = await asyncio.gather(*strangers)
    assert {answer.status_code for answer in answers} == {400, 503}
    assert (await door.twilio("sms", door.sms("BANTUAN"))).status_code == 204
