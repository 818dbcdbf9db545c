"""The thief with the providers' tokens: what Twilio and Telegram would still tell them."""

from datetime import timedelta
from pathlib import Path

from tests.journeys.telling import copies, is_quiet, receipt
from tests.support.phones import Simulator
from tests.support.running import running

STORY = "LAPOR Camat meminta setoran dari tiap kepala desa"


async def waiting(simulator: Simulator) -> list[object]:
    """Return what Telegram would still hand out to whoever holds the bot's token."""
    token = simulator.settings["telegram_token"]
    answer = await simulator.client.get(f"/bot{token}/getUpdates")
    found: list[object] = answer.json()["result"]
    return found


async def test_tokens_find_no_message_that_was_taken(
    tmp_path: Path, simulator: Simulator
) -> None:
    """Twilio's copies are erased, Telegram keeps no update that was confirmed."""
    url = f"sqlite:///{tmp_path / 'kentongan.db'}"
    await simulator.control(
        "faults", api="twilio", method="delete", fault="500", times=999
    )
    async with running(url, tmp_path, simulator) as here:
        for name in ("sms", "whatsapp", "telegram"):
            phone = here.phone(name)
            await phone.say(STORY)
            paper = await receipt(phone)
            assert paper.number
        assert len(await copies(simulator, simulator.settings)) > len(
            ("sms", "whatsapp")
        )
        await simulator.client.delete("/control/faults")
        here.clock.shift += timedelta(hours=1)
        here.app.notify()
        await is_quiet(here)
        assert await copies(simulator, simulator.settings) == []
    assert await waiting(simulator) == []
