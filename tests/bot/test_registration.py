"""Telegram is told where our webhook is, as often as it takes."""

from pathlib import Path

import pytest

from bot import config, registration
from bot.channels.telegram import ALLOWED_UPDATES, Telegram
from bot.registration import UPDATES, Registration
from storage.keys import ServerKeys
from tests.doors import SECRET, environment
from tests.phones import Simulator
from tests.specs.conformance import check_recorded


def test_the_webhook_asks_for_what_the_poller_asks_for() -> None:
    assert UPDATES == ALLOWED_UPDATES


async def test_it_is_tried_until_telegram_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "_FIRST", 0.01)
    async with Simulator() as simulator:
        for fault in ("500", "reset", "429", "401"):
            await simulator.control(
                "faults", api="telegram", method="setWebhook", fault=fault
            )
        token = simulator.settings["telegram_token"]
        environ = environment(
            f"sqlite:///{tmp_path / 'k.db'}", ServerKeys.new(), tmp_path
        )
        telegram = Telegram(token, api_base_url=f"{simulator.url}/bot")
        await Registration(telegram.bot, config.load(None, environ)).run()
        await telegram.stop()
        asked = await simulator.requests("telegram", "setWebhook")
        assert check_recorded(asked) == []
        assert len(asked) == 5
        assert asked[-1]["params"]["url"] == "http://127.0.0.1:9/webhooks/telegram"
        assert asked[-1]["params"]["secret_token"] == SECRET
