"""A chat is cleaned: the phone shows nothing of it, and what stays was said before."""

from datetime import timedelta

import pytest

from bot.delivery import departures
from tests.journeys.telling import is_quiet, kept, receipt, report, until
from tests.support.phones import Phone
from tests.support.running import Running

STORY = "Camat meminta setoran dari tiap kepala desa"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a backoff: how long it is, other tests prove."""
    monkeypatch.setattr(departures, "backoff", lambda attempts: attempts / 10)


async def stands(phone: Phone) -> list[str]:
    """Return what the phone still shows, presses included."""
    lines = (await phone.look())["messages"]
    return [line["text"] or line["kind"] for line in lines if not line["deleted"]]


async def is_empty(phone: Phone) -> None:
    """Wait until the phone shows nothing of its chat."""
    await phone.looks_until(
        lambda seen: all(one["deleted"] for one in seen["messages"])
    )


async def test_after_the_receipt_the_phone_shows_nothing(town: Running) -> None:
    sari, officer, budi = (
        town.phone("telegram"),
        town.phone("officer"),
        await town.simulator.new_phone("budi", "telegram"),
    )
    await town.link_officer()
    await budi.start()
    await budi.hears("asisten otomatis")
    await sari.start()
    await sari.hears("asisten otomatis")
    await sari.say(f"LAPOR {STORY}")
    paper = await receipt(sari)
    await officer.hears(paper.number)
    await sari.press("Sudah saya catat")
    question = await sari.hears("Hapus percakapan ini?")
    for stays in ("48 jam", "notifikasi", "tangkapan layar", "cadangan", "Perangkat"):
        assert stays in question
    await sari.press("Ya, hapus chat")
    await is_empty(sari)
    await is_quiet(town)

    assert await stands(sari) == []
    assert len(await stands(budi)) == 2
    assert paper.number in " ".join(await stands(officer))
    await until(
        lambda: kept(town.app.database, "conversations") == 1, "budi's row is left"
    )
    await sari.skips_to_now()
    await sari.say(f"STATUS {paper}")
    await sari.hears("sudah kami terima")


async def test_a_provider_that_fails_twice_only_delays_it(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await report(sari, STORY)
    fault = {"api": "telegram", "method": "deleteMessages"}
    await hamlet.simulator.control("faults", fault="500", times=2, **fault)
    await sari.say("BERSIHKAN")
    await sari.hears("Hapus percakapan ini?")
    await sari.say("YA")
    await is_empty(sari)
    await is_quiet(hamlet)
    assert kept(hamlet.app.database, "conversations") == 0


async def test_what_is_refused_for_good_is_told(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await report(sari, STORY)
    await hamlet.simulator.control(
        "faults",
        fault="400",
        times=99,
        api="telegram",
        method="deleteMessages",
        description="Bad Request: message can't be deleted for everyone",
    )
    await sari.say("BERSIHKAN")
    await sari.hears("Hapus percakapan ini?")
    await sari.say("YA")
    await sari.hears("7 pesan tidak bisa kami hapus", "Hapus percakapan ini sendiri")
    await is_quiet(hamlet)
    assert kept(hamlet.app.database, "conversations") == 0
    asked = await hamlet.simulator.requests("telegram", "deleteMessages")
    assert len(asked) < 20


async def test_who_blocked_the_bot_is_asked_for_nothing_more(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await report(sari, STORY)
    await hamlet.simulator.control(
        "faults", fault="500", times=3, api="telegram", method="deleteMessages"
    )
    await sari.say("BERSIHKAN")
    await sari.hears("Hapus percakapan ini?")
    await sari.say("YA")
    await sari.block()
    await until(
        lambda: not kept(hamlet.app.database, "conversations"), "the person is gone"
    )
    await is_quiet(hamlet)


async def test_an_abandoned_chat_is_forgotten_after_48_hours(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await report(sari, STORY)
    await is_quiet(hamlet)  # what leaves later is remembered from then
    hamlet.clock.shift = timedelta(hours=46)
    await hamlet.app.scheduler.purge()
    assert kept(hamlet.app.database, "conversations") == 1
    hamlet.clock.shift = timedelta(hours=49)
    await hamlet.app.scheduler.purge()
    assert kept(hamlet.app.database, "conversations") == 0


async def test_by_sms_it_is_said_how_to_do_it_by_hand(hamlet: Running) -> None:
    wayan = hamlet.phone("sms")
    await report(wayan, STORY)
    await wayan.say("BERSIHKAN")
    await wayan.hears("tidak bisa kami hapus dari sini", "Hapus sendiri")
