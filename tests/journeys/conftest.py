"""A running server with its phones, once on SQLite and once on PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from tests.journeys.telling import spoken_as_specified
from tests.support.phones import Simulator
from tests.support.running import Running, running

BRISK = 100


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let letters leave a hundred times faster than providers want it (limits are data)."""
    for channel in (Telegram, Sms, WhatsApp):
        limits = replace(channel.limits, per_second=BRISK, per_chat_second=BRISK)
        monkeypatch.setattr(channel, "limits", limits)


@pytest.fixture
async def simulator(simulator: Simulator) -> AsyncIterator[Simulator]:
    """Return the providers; at the end their specs judge what the bot asked for."""
    yield simulator
    assert await spoken_as_specified(simulator)


@pytest.fixture
async def town(
    database_url: str, tmp_path: Path, simulator: Simulator
) -> AsyncIterator[Running]:
    async with running(database_url, tmp_path, simulator) as here:
        yield here


@pytest.fixture
async def hamlet(tmp_path: Path, simulator: Simulator) -> AsyncIterator[Running]:
    """Return a server on SQLite only, for stories where the store does not matter."""
    url = f"sqlite:///{tmp_path / 'kentongan.db'}"
    async with running(url, tmp_path, simulator) as here:
        yield here
