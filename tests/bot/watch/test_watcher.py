"""The watcher: what it sees, whom it tells, and that it does not lean on the store."""

import json
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlmodel import Session

from bot.telemetry.breaker import Cause
from bot.watch import watcher as watching
from bot.watch.alarms import Alarm
from storage.database.database import Database
from storage.jobs import leases, watches
from storage.people import telegram_links
from storage.words import Channel, Role
from tests.support.doors import Doors, doors
from tests.support.founded import person


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path, SERVER__METRICS_TOKEN="m" * 20) as opened:
        with opened.app.database.writing() as session:
            admin = person(session, opened.keys, "admin1", Role.ADMIN).officer
            now = opened.clock()
            token = telegram_links.issue(session, opened.keys, admin.id, now=now)
            telegram_links.redeem(
                session, opened.keys, token, Channel.TELEGRAM, "700", now=now
            )
            leases.hold(session, "scheduler", opened.app.holder, seconds=86400, now=now)
        yield opened


def full(door: Doors, percent: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(door.app.watching), "_free", lambda _: percent)


def told(door: Doors) -> list[str]:
    return [letter.text for letter in door.letters() if letter.to == "700"]


async def test_an_alarm_is_in_the_log_in_metrics_and_with_the_admin(
    door: Doors, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full(door, 4.0, monkeypatch)
    with caplog.at_level(logging.WARNING, logger="kentongan"):
        await door.app.watching.look()
        await door.app.watching.look()
    begun = [r for r in caplog.records if "alarm.rings" in str(r.msg)]
    assert [(r.levelname, "disk.full" in str(r.msg)) for r in begun] == [
        ("ERROR", True)
    ]
    assert 'kentongan_alarm{name="disk.full"} 1.0' in door.app.metrics.render().decode()
    assert len(told(door)) == 1
    full(door, 60.0, monkeypatch)
    door.clock.shift += 6 * (watches.RECENT * 3)
    await door.app.watching.look()
    assert 'kentongan_alarm{name="disk.full"} 0.0' in door.app.metrics.render().decode()
    assert len(told(door)) == 1
    assert json.dumps(door.app.watching.rings) == "{}"


async def test_when_the_store_is_away_log_and_level_still_come(
    door: Doors, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: object) -> None:
        raise ConnectionError

    async def unready(_: object) -> tuple[str, ...]:
        return ("store",)

    monkeypatch.setattr(type(door.app.database), "reading", away)
    monkeypatch.setattr(type(door.app.readiness), "ask", unready)
    with caplog.at_level(logging.ERROR, logger="kentongan"):
        await door.app.watching.look()
        door.clock.shift += 3 * watches.RECENT
        await door.app.watching.look()
    assert Alarm.STORE_AWAY in door.app.watching.rings
    assert any("store.away" in str(record.msg) for record in caplog.records)
    text = door.app.metrics.render().decode()
    assert 'kentongan_alarm{name="store.away"} 1.0' in text
    monkeypatch.undo()
    await door.app.watching.look()
    assert len(told(door)) == 1, "the message came when the store was back"


async def test_a_channel_that_stands_still_is_seen_and_forgotten(door: Doors) -> None:
    cause: Cause | None = Cause.REFUSED
    watcher = door.app.watching
    watcher.standing = lambda: {Channel.SMS: cause, Channel.CANARY: Cause.BUSY}
    await watcher.look()
    door.clock.shift += 33 * watches.RECENT
    await watcher.look()
    assert Alarm.SMS_SENDING in watcher.rings
    text = door.app.metrics.render().decode()
    assert 'kentongan_watch_failures{watch="sms.sending"} 1.0' in text
    cause = None
    await watcher.look()
    door.clock.shift += 7 * watches.RECENT
    await watcher.look()
    with door.app.database.reading() as session:
        assert watches.read(session)["sms.sending"].bad is None


async def test_who_does_not_lead_tells_nobody(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(door, 4.0, monkeypatch)
    monkeypatch.setattr(door.app.watching, "holder", "somebody else")
    await door.app.watching.look()
    assert Alarm.DISK_FULL in door.app.watching.rings
    assert told(door) == []


async def test_while_nobody_leads_anybody_tells(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(door, 4.0, monkeypatch)
    with door.app.database.writing() as session:
        leases.let_go(session, "scheduler", door.app.holder, now=door.clock())
    door.clock.shift += 12 * watches.RECENT
    await door.app.watching.look()
    assert Alarm.SCHEDULER_IDLE in door.app.watching.rings
    assert len(told(door)) == 2


async def test_a_store_that_hangs_holds_up_no_look(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection and never answers, as a stopped server does."""
    gate = threading.Event()
    before = type(door.app.database).reading

    def hang(database: Database) -> AbstractContextManager[Session]:
        gate.wait(20)
        return before(database)

    async def unready(_: object) -> tuple[str, ...]:
        return ("store",)

    monkeypatch.setattr(watching, "PATIENCE", 0.05)
    monkeypatch.setattr(type(door.app.database), "reading", hang)
    monkeypatch.setattr(type(door.app.readiness), "ask", unready)
    try:
        await door.app.watching.look()
        door.clock.shift += 4 * watches.RECENT
        await door.app.watching.look()
        assert set(door.app.watching.rings) == {Alarm.STORE_AWAY}
    finally:
        gate.set()
