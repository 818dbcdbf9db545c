"""News that must wait: for a template, for a provider, for somebody who said STOP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import departures
from bot.telemetry import breaker
from tests.journeys.telling import events, is_quiet, kept, receipt, report, until
from tests.support.phones import Phone, Simulator
from tests.support.running import Running, running

STORY = "Panitia lelang membocorkan harga kepada satu rekanan"
IN_INDONESIAN, IN_ENGLISH = "HX" + "1" * 32, "HX" + "2" * 32


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a backoff or a rest: how long they are, other tests prove."""
    monkeypatch.setattr(departures, "backoff", lambda attempts: attempts / 50)
    monkeypatch.setattr(breaker, "SPANS", dict.fromkeys(breaker.Cause, (0.1, 0.2)))


@pytest.fixture
async def village(tmp_path: Path, simulator: Simulator) -> AsyncIterator[Running]:
    """Return a server on SQLite that has templates."""
    url = f"sqlite:///{tmp_path / 'kentongan.db'}"
    async with running(
        url,
        tmp_path,
        simulator,
        TWILIO__TEMPLATES__ID__NEWS=IN_INDONESIAN,
        TWILIO__TEMPLATES__EN__NEWS=IN_ENGLISH,
    ) as here:
        yield here


async def days_pass(town: Running, **span: float) -> None:
    """Let time pass for everybody."""
    shift = timedelta(**span)
    town.clock.shift += shift
    await town.simulator.control("clock", shift_seconds=shift.total_seconds())


async def sent(town: Running, to: Phone) -> list[dict[str, Any]]:
    """Return the forms with which the bot asked Twilio to send."""
    asked = await town.simulator.requests("twilio", "create")
    return [one["params"] for one in asked if one["phone"] == to.name]


async def wants_news(budi: Phone) -> str:
    """Report and ask for news; returns number and code."""
    paper = await report(budi, STORY)
    await budi.say(f"KABAR NETRAL {paper}")
    await budi.hears("kami akan mengabari")
    return str(paper)


async def asks_and_is_answered(town: Running, budi: Phone, paper: str) -> None:
    await budi.hears("Ada pembaruan untuk nomor", paper.split(maxsplit=1)[0])
    await budi.say(f"BACA {paper}")
    await budi.hears("Siapa nama rekanan itu?")
    assert "read_by_reporter" in events(town, town.only_case())


async def test_after_two_days_the_template_goes_and_its_reader_answers(
    village: Running,
) -> None:
    budi = village.phone("whatsapp")
    paper = await wants_news(budi)
    await days_pass(village, days=2)
    await village.ask(village.only_case(), "Siapa nama rekanan itu?")
    await asks_and_is_answered(village, budi, paper)
    by_template = [one for one in await sent(village, budi) if "ContentSid" in one]
    (form,) = by_template
    assert form["ContentVariables"] == f'{{"1": "{paper.split()[0]}"}}'
    assert "Body" not in form
    await village.ask(village.only_case(), "Kapan itu terjadi?")
    await budi.hears("Ada kabar untuk nomor")
    await is_quiet(village)
    assert len([one for one in await sent(village, budi) if "ContentSid" in one]) == 1


@pytest.mark.parametrize("error", ["refuse", "fail"])
async def test_a_window_that_closed_for_whatsapp_alone(
    village: Running, error: str
) -> None:
    await village.simulator.control("settings", window_error=error)
    budi = village.phone("whatsapp")
    paper = await wants_news(budi)
    await village.simulator.control("clock", shift_seconds=2 * 86_400)
    await village.ask(village.only_case(), "Siapa nama rekanan itu?")
    await asks_and_is_answered(village, budi, paper)
    await is_quiet(village)
    assert "untold" not in events(village, village.only_case())


async def test_without_a_template_it_is_told_when_they_write_again(
    hamlet: Running,
) -> None:
    budi = hamlet.phone("whatsapp")
    await wants_news(budi)
    await days_pass(hamlet, days=2)
    case = hamlet.only_case()
    await hamlet.ask(case, "Siapa nama rekanan itu?")
    await until(lambda: "untold" in events(hamlet, case), "officers see it")
    await budi.hears_nothing()
    await budi.say("Halo, ada kabar?")
    await budi.hears("Ada kabar untuk nomor", case.number)


@pytest.mark.parametrize("code", [63040, 63041])
async def test_a_template_that_whatsapp_refuses(village: Running, code: int) -> None:
    budi = village.phone("whatsapp")
    await wants_news(budi)
    await days_pass(village, days=2)
    case = village.only_case()
    await village.simulator.fault("twilio", "undelivered", "create", code=code)
    await village.ask(case, "Siapa nama rekanan itu?")
    await until(lambda: "untold" in events(village, case), "officers see it")
    await budi.say("Halo, ada kabar?")
    await budi.hears("Ada kabar untuk nomor", case.number)


async def test_thirty_steps_while_whatsapp_is_away_are_one_notice(
    village: Running,
) -> None:
    budi = village.phone("whatsapp")
    paper = await wants_news(budi)
    await village.simulator.fault("twilio", "500", "create", times=10_000)
    case = village.only_case()
    for number in range(30):
        await village.ask(case, f"Pertanyaan nomor {number}")
    await until(lambda: kept(village.app.database, "outbox") <= 2, "one waits")
    await village.simulator.client.delete("/control/faults")
    village.app.notify()
    await budi.hears("Ada kabar untuk nomor", case.number)
    await is_quiet(village)
    heard = [one for one in await budi.heard() if "Ada kabar" in one]
    assert len(heard) <= 2, "one that was on its way when the next step came, and one"
    await budi.say(f"BACA {paper}")
    await budi.hears("Pertanyaan nomor 29")
    everything = "\n".join(await budi.heard())
    assert all(f"Pertanyaan nomor {number}" in everything for number in range(30))


async def test_stop_in_the_middle_of_a_report_and_back_later(village: Running) -> None:
    budi = village.phone("whatsapp")
    paper = await wants_news(budi)
    for words in ("LAPOR", "1", "1", "1", "1"):
        await budi.say(words)
    await budi.hears("Laporan ini tentang apa")
    await budi.say("Stop!")
    await budi.hears("Kabar kami hentikan", "draf", "KABAR nomor kode")
    await village.ask(village.only_case(), "Siapa nama rekanan itu?")
    await budi.hears_nothing()
    await budi.say("MULAI")
    await budi.hears("KABAR nomor kode")
    await budi.hears("asisten otomatis")
    await budi.say(f"KABAR NETRAL {paper}")
    await budi.hears("kami akan mengabari")
    await village.ask(village.only_case(), "Kapan itu terjadi?")
    await budi.hears("Ada kabar untuk nomor")


async def test_stop_by_sms_that_twilio_forwards_is_answered_once(
    hamlet: Running,
) -> None:
    await hamlet.simulator.control("settings", forwards_opt_out=True)
    budi = hamlet.phone("sms")
    await wants_news(budi)
    await budi.say("LAPOR")
    await budi.hears("Balas YA")
    await budi.say("STOP")
    await budi.hears("unsubscribed")
    await until(lambda: not kept(hamlet.app.database, "subscriptions"), "it ended")
    await budi.hears_nothing()
    asked = len(await sent(hamlet, budi))
    await hamlet.ask(hamlet.only_case(), "Siapa nama rekanan itu?")
    await budi.hears_nothing()
    assert len(await sent(hamlet, budi)) == asked, "nothing is tried in vain"
    await budi.say("START")
    await budi.hears("re-subscribed")
    await budi.hears("KABAR nomor kode")


async def test_a_receipt_that_an_opt_out_held_back_comes_after_start(
    hamlet: Running,
) -> None:
    budi = hamlet.phone("sms")
    await budi.say("STOP")
    await budi.hears("unsubscribed")
    await budi.say(f"LAPOR {STORY}")
    await until(lambda: bool(hamlet.cases()), "the report is a case all the same")
    await budi.hears_nothing()
    await hamlet.simulator.control("settings", forwards_opt_out=True)
    await budi.say("START")
    paper = await receipt(budi)
    assert paper.number == hamlet.only_case().number
