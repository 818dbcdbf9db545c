"""Interrupted: by a restart in the middle of a draft, and by a day of silence."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.telling import kept, receipt, words
from tests.support.phones import Phone, Simulator
from tests.support.running import Running, running

pytestmark = pytest.mark.faults

LEASE_OVER = 90.0
STORY = "Kepala puskesmas menjual obat gratis"


async def test_a_restart_in_the_middle_of_a_draft(
    database_url: str, tmp_path: Path, simulator: Simulator
) -> None:
    sari = simulator.phone("telegram")
    async with running(database_url, tmp_path, simulator) as before:
        await until_the_story(sari)
        await sari.say(STORY)
        await sari.hears("Sudah dicatat")
        known = before.keys, before.house

    await sari.say("Sudah dua tahun begini.")
    await sari.press("Selesai")

    keys, founded = known
    async with running(
        database_url, tmp_path, simulator, keys=keys, founded=founded
    ) as after:
        # Where the first server could not give its lease back, it must run out first.
        await sari.hears("Di mana terjadinya", timeout=LEASE_OVER)
        await sari.say("KIRIM")
        paper = await receipt(sari)
        case = after.only_case()
        assert case.number == paper.number
        assert words(after, case) == [STORY, "Sudah dua tahun begini."]


async def until_the_story(phone: Phone) -> None:
    """Answer until the bot asks what happened."""
    await phone.say("LAPOR")
    for answer in ("Aman, lanjut", "Paham, lanjut", "Setuju", "Anonim", "Layanan"):
        await phone.hears("1.")
        await phone.press(answer)
    for question in ("Instansi atau kantor", "Siapa yang Anda laporkan"):
        await phone.hears(question)
        await phone.press("Lewati")
    await phone.hears("Setinggi apa")
    await phone.press("Tidak tahu")
    await phone.hears("Ceritakan apa yang terjadi")


async def test_a_draft_is_warned_and_then_thrown_away(town: Running) -> None:
    sari = town.phone("telegram")
    await until_the_story(sari)
    await sari.say(STORY)
    await sari.hears("Sudah dicatat")

    town.clock.shift = timedelta(hours=20)
    await town.app.scheduler.purge()
    town.clock.shift = timedelta(hours=22)
    await town.app.scheduler.purge()
    await sari.hears("belum dikirim", "2 jam lagi")
    await town.app.scheduler.purge()
    await sari.hears_nothing()
    assert kept(town.app.database, "items") == 1

    town.clock.shift = timedelta(hours=25)
    await town.app.scheduler.purge()
    assert kept(town.app.database, "items") == 0
    assert kept(town.app.database, "conversations") == 1, "ids for a clean chat only"
    await sari.say("KIRIM")
    await sari.hears("Tidak ada laporan yang sedang ditulis")
    assert town.cases() == []


async def test_who_comes_too_late_is_told(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await until_the_story(sari)
    await sari.say(STORY)
    await sari.hears("Sudah dicatat")
    hamlet.clock.shift = timedelta(hours=25)
    await sari.say("Masih ada satu hal lagi.")
    await sari.hears("draf dihapus demi keamanan")
    assert kept(hamlet.app.database, "items") == 0
