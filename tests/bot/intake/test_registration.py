"""Telegram is told where our webhook is, as often as it takes, and it is kept there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.telegram import ALLOWED_UPDATES, Telegram
from bot.intake import registration
from bot.intake.registration import AWAY, FAILING, NAME, REPLACED, UPDATES, Registration
from bot.settings import loading
from bot.telemetry.metrics import Metrics
from bot.writer import Writer
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import leases
from tests.specs.conformance import check_recorded
from tests.support.doors import PUBLIC, SECRET, environment
from tests.support.migrated import migrate
from tests.support.phones import Simulator

URL = f"{PUBLIC}/webhooks/telegram"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@dataclass
class Here:
    """A registration at work."""

    simulator: Simulator
    telegram: Telegram
    writer: Writer
    registration: Registration
    metrics: Metrics
    now: datetime = NOW
    told: list[str] = field(default_factory=list)

    async def info(self) -> dict[str, Any]:
        return (await self.telegram.bot.get_webhook_info()).to_dict()

    async def knows(self, true: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until Telegram knows something of the webhook."""
        for _ in range(500):
            if true(await self.info()):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(await self.info())

    def gauge(self, name: str) -> float:
        lines = self.metrics.render().decode().splitlines()
        (found,) = [line for line in lines if line.startswith(f"kentongan_{name} ")]
        return float(found.rpartition(" ")[2])

    async def registers(self) -> None:
        """Let a process start: it registers, and would look later."""
        before = len(await self.simulator.requests("telegram", "setWebhook"))
        task = asyncio.create_task(self.registration.run())
        try:
            await self.simulator.requests("telegram", "setWebhook", count=before + 1)
            await self.knows(lambda told: told["url"] == URL)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> AsyncIterator[Here]:
    monkeypatch.setattr(registration, "_FIRST", 0.01)
    url = f"sqlite:///{tmp_path / 'k.db'}"
    database = Database(url)
    migrate(database)
    writer = Writer(database)
    writer.start()
    token = simulator.settings["telegram_token"]
    telegram = Telegram(token, api_base_url=f"{simulator.url}/bot")
    settings = loading.load(None, environment(url, ServerKeys.new(), tmp_path))
    metrics = Metrics()
    made: list[Here] = []

    async def tell(name: str, wrong: str) -> None:
        assert name == NAME
        made[0].told.append(wrong)

    here = Here(
        simulator,
        telegram,
        writer,
        Registration(
            telegram.bot,
            settings,
            writer=writer,
            metrics=metrics,
            tell=tell,
            clock=lambda: made[0].now,
            holder="one",
        ),
        metrics,
    )
    made.append(here)
    yield here
    await telegram.stop()
    await asyncio.to_thread(writer.stop)
    database.close()


def test_the_webhook_asks_for_what_the_poller_asks_for() -> None:
    assert UPDATES == ALLOWED_UPDATES


async def test_it_is_tried_until_telegram_knows(here: Here) -> None:
    for fault in ("500", "reset", "429", "401"):
        await here.simulator.fault("telegram", fault, "setWebhook")
    task = asyncio.create_task(here.registration.run())
    asked = await here.simulator.requests("telegram", "setWebhook", count=5)
    task.cancel()
    assert check_recorded(asked) == []
    assert asked[-1]["params"]["url"] == URL
    assert asked[-1]["params"]["secret_token"] == SECRET


async def test_each_start_registers_anew_because_the_secret_may_have_changed(
    here: Here,
) -> None:
    await here.registers()
    await here.telegram.bot.set_webhook(URL, secret_token="another-secret-of-old")
    await here.registers()
    asked = await here.simulator.requests("telegram", "setWebhook")
    assert asked[-1]["params"]["secret_token"] == SECRET


async def test_a_good_webhook_is_left_alone(here: Here) -> None:
    await here.registers()
    before = len(await here.simulator.requests("telegram", "setWebhook"))
    await here.registration.look()
    assert len(await here.simulator.requests("telegram", "setWebhook")) == before
    assert here.told == [""]


SPOILT: dict[str, dict[str, Any]] = {
    "gone": {"url": ""},
    "somebody else's": {"url": "http://127.0.0.1:9/other"},
    "other updates": {"url": URL, "allowed_updates": ["message"]},
    "more updates": {"url": URL, "allowed_updates": [*UPDATES, "poll"]},
}


@pytest.mark.parametrize("spoilt", SPOILT)
async def test_what_is_not_ours_is_mended_and_nothing_is_dropped(
    here: Here, spoilt: str, caplog: pytest.LogCaptureFixture
) -> None:
    await here.registers()
    await here.telegram.bot.set_webhook(**SPOILT[spoilt])
    await here.simulator.phone("telegram").say("halo")
    await here.registration.look()
    told = await here.info()
    assert told["url"] == URL
    assert set(told["allowed_updates"]) == set(UPDATES)
    asked = await here.simulator.requests("telegram", "setWebhook")
    assert check_recorded(asked[-1:]) == []
    dropped = asked[-1]["params"].get("drop_pending_updates", False)
    assert str(dropped).lower() == "false"
    assert told["pending_update_count"] == 1, "it waits, for nobody listens here"
    assert here.told == [REPLACED]
    assert here.gauge("telegram_webhook_mended_total") == 1
    assert caplog.text.count("registration.replaced") == 1
    await here.registration.look()
    assert len(await here.simulator.requests("telegram", "setWebhook")) == len(asked)


async def test_one_process_looks(here: Here) -> None:
    await here.registers()
    await here.telegram.bot.delete_webhook()
    await here.writer.run(leases.hold, NAME, "two", seconds=600, now=NOW)
    await here.registration.look()
    assert (await here.info())["url"] == ""
    here.now += timedelta(seconds=601)
    await here.registration.look()
    assert (await here.info())["url"] == URL


async def test_what_waits_counts_once_it_waited_at_two_looks(here: Here) -> None:
    await here.registers()
    for text in ("satu", "dua"):
        await here.simulator.phone("telegram").say(text)
    await here.registration.look()
    assert here.gauge("telegram_pending_updates") == 0
    await here.registration.look()
    assert here.gauge("telegram_pending_updates") == 2


async def test_telegrams_last_error_is_told_in_steps(here: Here) -> None:
    await here.registers()
    assert here.gauge("telegram_webhook_failed_seconds") == 0
    await here.simulator.phone("telegram").say("halo")  # nobody listens at that address
    await here.knows(lambda told: "last_error_date" in told)
    here.now = datetime.now(UTC)  # noqa: TID251 - the simulator's clock is the real one
    await here.registration.look()
    assert here.told == [FAILING]
    assert here.gauge("telegram_webhook_failed_seconds") == 600
    here.now += timedelta(minutes=25)
    assert here.gauge("telegram_webhook_failed_seconds") == 1800
    here.now += timedelta(days=1)
    assert here.gauge("telegram_webhook_failed_seconds") == 0


@pytest.mark.parametrize("fault", ["500", "reset", "429"])
async def test_telegram_that_cannot_be_asked_is_told_of(here: Here, fault: str) -> None:
    await here.registers()
    await here.simulator.fault("telegram", fault, "getWebhookInfo")
    await here.registration.look()
    assert here.told == [AWAY]
    await here.registration.look()
    assert here.told[-1:] == [""]
