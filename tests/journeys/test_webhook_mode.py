"""Telegram by webhook: registered in the background, pressed and written at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journeys.telling import is_quiet, receipt, words
from tests.support.phones import Simulator
from tests.support.running import Running, running

SECRET = "a-secret-that-telegram-sends-back"
STORY = "Pengawas sekolah meminta uang transpor"


@pytest.fixture
async def pushed(tmp_path: Path, simulator: Simulator) -> AsyncIterator[Running]:
    async with running(
        f"sqlite:///{tmp_path / 'kentongan.db'}",
        tmp_path,
        simulator,
        TELEGRAM__MODE="webhook",
        TELEGRAM__WEBHOOK_SECRET=SECRET,
    ) as here:
        await simulator.requests("telegram", "setWebhook", count=1)
        yield here


async def test_a_report_by_webhook(pushed: Running) -> None:
    sari = pushed.phone("telegram")
    await sari.say(f"LAPOR {STORY}")
    paper = await receipt(sari)
    await sari.say(f"STATUS {paper}")
    await sari.hears("sudah kami terima")
    (hook,) = await pushed.simulator.requests("telegram", "setWebhook")
    assert hook["params"]["url"] == f"{pushed.url}/webhooks/telegram"
    assert hook["params"]["secret_token"] == SECRET
    assert await pushed.simulator.requests("telegram", "getUpdates") == []


async def test_a_press_that_overtakes_a_text(pushed: Running) -> None:
    sari = pushed.phone("telegram")
    await sari.say("LAPOR")
    for answer in ("Aman, lanjut", "Paham, lanjut", "Setuju", "Anonim", "Layanan"):
        await sari.hears("1.")
        await sari.press(answer)
    for question in ("Instansi", "Siapa yang"):
        await sari.hears(question)
        await sari.press("Lewati")
    await sari.hears("Setinggi apa")
    await sari.press("Tidak tahu")
    await sari.hears("Ceritakan")
    await sari.say("Tiap bulan begitu.")
    await sari.hears("Sudah dicatat")

    await pushed.simulator.control(
        "faults", api="webhook", method="telegram", fault="delay", seconds=0.5
    )
    await sari.say(STORY)
    await sari.press("Selesai")
    await sari.hears("Di mana terjadinya")
    await sari.hears("dicatat di pertanyaan sebelumnya")
    await sari.say("KIRIM")
    await receipt(sari)

    case = pushed.only_case()
    assert words(pushed, case) == ["Tiap bulan begitu.", STORY]


async def test_updates_whose_answer_was_lost_are_taken_once(pushed: Running) -> None:
    sari = pushed.phone("telegram")
    for fault in ("lost_answer", "duplicate"):
        await pushed.simulator.control(
            "faults", api="webhook", method="telegram", fault=fault
        )
    await sari.say(f"LAPOR {STORY}")
    await receipt(sari)
    await is_quiet(pushed)
    await sari.hears_nothing()
    assert words(pushed, pushed.only_case()) == [STORY]
