"""Webhooks that never reached us: what Twilio still has is taken in, once, and answered."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import make_reconciler
from bot.intake import lost_messages
from bot.intake.lost_messages import Reconciler
from tests.conftest import ON_SQLITE
from tests.journeys.telling import kept, until
from tests.support.phones import Simulator
from tests.support.running import Running, running

STORIES = (
    "Kepala desa memotong bantuan beras untuk warga",
    "Guru menarik uang untuk buku yang sudah dibayar negara",
    "Petugas meminta uang agar surat tanah cepat selesai",
)
LATER = 180
PICTURE = b"\xff\xd8\xff\xe0" + bytes(200)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server look only when it is told to."""
    monkeypatch.setattr(lost_messages, "FIRST_SECONDS", 3600.0)


def reconciler(town: Running) -> Reconciler:
    made = make_reconciler(town.app)
    assert made is not None
    return made


async def later(town: Running, seconds: int = LATER) -> None:
    """Let some minutes pass, at Twilio and here."""
    town.clock.shift += timedelta(seconds=seconds)
    await town.simulator.control("clock", shift_seconds=seconds)


async def held(simulator: Simulator) -> list[str]:
    """Return the directions of what Twilio still keeps."""
    account, token = (
        simulator.settings[name] for name in ("account_sid", "auth_token")
    )
    answer = await simulator.client.get(
        f"/2010-04-01/Accounts/{account}/Messages.json", auth=(account, token)
    )
    return [message["direction"] for message in answer.json()["messages"]]


@pytest.fixture
async def looked(town: Running) -> AsyncIterator[Reconciler]:
    made = reconciler(town)
    yield made
    await made.let_go()


async def test_what_came_while_the_server_was_down_is_there_once_and_answered(
    database_url: str, tmp_path: Path, simulator: Simulator
) -> None:
    """Twilio tries for 30 seconds, then forgets; the messages stay in its list."""
    phones = [simulator.phone("sms")]
    phones += [await simulator.new_phone(name, "sms") for name in ("budi", "tini")]
    wati = simulator.phone("whatsapp")
    dead = "http://127.0.0.1:9/webhooks/twilio"
    await simulator.webhooks(sms=f"{dead}/sms", whatsapp=f"{dead}/whatsapp")
    for phone, story in zip(phones, STORIES, strict=True):
        await phone.say(f"LAPOR {story}")
        await phone.looks_until(
            lambda seen: seen["messages"][-1]["webhook"].get("attempts", 0) > 1
        )
    await wati.attach(
        ("bukti.jpg", "image/jpeg", PICTURE), text=f"LAPOR {STORIES[0]} lagi"
    )
    await wati.looks_until(
        lambda seen: seen["messages"][-1]["webhook"].get("attempts", 0) > 1
    )
    await simulator.control("clock", shift_seconds=LATER)
    async with running(database_url, tmp_path, simulator) as town:
        made = reconciler(town)
        assert await made.look() == 4
        for phone in (*phones, wati):
            await phone.hears("Nomor")
        told = sorted(town.story(case)["Q10"] for case in town.cases())
        assert told == sorted((*STORIES, f"{STORIES[0]} lagi"))
        await until(lambda: not kept(town.app.database, "jobs"), "all is erased")
        assert await made.look() == 0
        assert len(town.cases()) == 4
        kinds = await held(simulator)
        assert "inbound" not in kinds, "Twilio's copies are erased"
        await made.let_go()


async def test_a_message_whose_webhook_never_came(
    town: Running, looked: Reconciler
) -> None:
    budi = town.phone("sms")
    await town.simulator.fault("webhook", "never", "sms")
    await budi.say(f"LAPOR {STORIES[0]}")
    await budi.looks_until(lambda seen: bool(seen["messages"][-1]["webhook"]))
    assert await looked.look() == 0, "it may still be on its way"
    await later(town)
    assert await looked.look() == 1
    await budi.hears("Nomor")
    assert await looked.look() == 0
    assert len(town.cases()) == 1


async def test_an_overtaken_message_answers_no_open_question(
    town: Running, looked: Reconciler
) -> None:
    budi = town.phone("sms")
    await budi.say("LAPOR")
    await budi.hears("1")
    await town.simulator.fault("webhook", "never", "sms")
    await budi.say("Dia minta dua juta")
    await budi.looks_until(
        lambda seen: seen["messages"][-1]["text"] == "Dia minta dua juta"
    )
    await asyncio.sleep(1.1)  # the provider's times have whole seconds
    await budi.say("1")
    await budi.hears("1")
    await later(town)
    before = len(await budi.heard())
    assert await looked.look() == 1
    await budi.hears("baru sampai sekarang")
    assert len(await budi.heard()) >= before + 1


async def test_a_late_stop_still_stops(town: Running, looked: Reconciler) -> None:
    wati = town.phone("whatsapp")
    await wati.say("LAPOR")
    await wati.hears("1")
    await town.simulator.fault("webhook", "never", "whatsapp")
    await wati.say("STOP")
    await asyncio.sleep(1.1)  # the provider's times have whole seconds
    await wati.say("halo")
    await wati.hears("")
    await later(town)
    assert await looked.look() == 1
    await wati.hears("hentikan")


@ON_SQLITE
async def test_a_lost_place_is_asked_for_again(
    town: Running, looked: Reconciler
) -> None:
    """The list does not tell places: only that something came."""
    wati = town.phone("whatsapp")
    await town.simulator.fault("webhook", "never", "whatsapp")
    await wati.share_location(-6.2, 106.8)
    await later(town)
    assert await looked.look() == 1
    await wati.hears("tanpa isi")


@ON_SQLITE
@pytest.mark.parametrize("fault", ["500", "429", "reset", "401"])
async def test_a_provider_that_fails_skips_nothing(
    town: Running, looked: Reconciler, fault: str
) -> None:
    budi = town.phone("sms")
    await town.simulator.fault("webhook", "never", "sms")
    await budi.say(f"LAPOR {STORIES[0]}")
    await later(town)
    await town.simulator.fault("twilio", fault, "list")
    assert await looked.look() == 0
    assert await looked.look() == 1


@ON_SQLITE
async def test_a_page_that_fails_in_the_middle_skips_nothing(
    town: Running, looked: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.twilio_listing.PAGE", 2)
    budi = town.phone("sms")
    await town.simulator.fault("webhook", "never", "sms", times=5)
    for number in range(5):
        await budi.say(f"LAPOR {STORIES[0]} nomor {number}")
    await later(town)
    await town.simulator.fault("twilio", "500", "list", seconds=0)
    assert await looked.look() == 0
    assert await looked.look() == 5


@ON_SQLITE
async def test_many_are_taken_in_bounded_runs(
    town: Running, looked: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.twilio_listing.PAGE", 1)
    monkeypatch.setattr(lost_messages, "MOST_PAGES", 2)
    names = [f"orang{number}" for number in range(5)]
    await town.simulator.fault("webhook", "never", "sms", times=5)
    for name in names:
        phone = await town.simulator.new_phone(name, "sms")
        await phone.say(f"LAPOR {STORIES[0]}")
        await later(town, 600)
    found = 0
    for _ in range(12):
        found += await looked.look()
    assert found == 5
    assert len(town.cases()) == 5


@ON_SQLITE
async def test_a_clock_that_is_wrong_skips_nothing(
    town: Running, looked: Reconciler
) -> None:
    budi = town.phone("sms")
    await town.simulator.fault("webhook", "never", "sms", times=2)
    await budi.say(f"LAPOR {STORIES[0]}")
    await later(town)
    town.clock.shift = timedelta(days=30)
    assert await looked.look() in {0, 1}
    town.clock.shift = timedelta(0)
    await looked.look()
    assert len(town.cases()) == 1
