"""The provider fails and recovers: everything arrives, in order, and what ends is told."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.delivery import departures
from storage.models import Job
from storage.words import JobKind
from tests.journeys.telling import (
    copies,
    events,
    is_quiet,
    kept,
    receipt,
    report,
    until,
    words,
)
from tests.support.phones import Phone
from tests.support.running import Running

pytestmark = pytest.mark.faults

STORY = "Panitia lelang membocorkan harga kepada satu rekanan"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a backoff: how long it is, other tests prove."""
    monkeypatch.setattr(departures, "backoff", lambda attempts: attempts / 10)


async def plan(town: Running, fault: str, **more: object) -> None:
    """Let something go wrong, once."""
    await town.simulator.control("faults", fault=fault, **more)


async def parts(phone: Phone) -> list[str]:
    """Return the first word of everything that arrived, in order."""
    return [text.partition(" ")[0].strip(",:") for text in await phone.heard()]


async def test_telegram_fails_and_recovers(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    send = {"api": "telegram", "method": "sendMessage"}
    await plan(hamlet, "429", retry_after=1, **send)
    await sari.start()
    await sari.hears("asisten otomatis")
    await plan(hamlet, "500", **send)
    await plan(hamlet, "reset", **send)
    await sari.say("BANTUAN")
    await sari.hears("Layanan ini gratis")
    await plan(hamlet, "lost_answer", **send)
    await sari.say(f"LAPOR {STORY}")
    await receipt(sari)
    await is_quiet(hamlet)

    heard = await parts(sari)
    assert heard == ["Halo", heard[1], "Terima", "Terima", "Terima"]
    doubled = [text for text in await sari.heard() if "sedang disegel" in text]
    assert len(doubled) == 2, "a lost answer is told twice, and nothing else"
    assert words(hamlet, hamlet.only_case()) == [STORY]


async def only_the_doubtful_one_is_left(town: Running) -> None:
    """Wait until Twilio keeps one copy, whose erasure is owed for later."""
    await until(lambda: mark_of_a_lost_letter(town), "a lost letter is told")
    await until(lambda: kept(town.app.database, "jobs") == 1, "the rest is erased")
    assert len(await copies(town.simulator, town.simulator.settings)) == 1


def mark_of_a_lost_letter(town: Running) -> bool:
    """Tell whether a status came for a letter whose id we never learned."""
    with town.app.database.reading() as session:
        due = session.exec(select(Job.due).where(Job.kind == JobKind.ERASE)).all()
    return any(one > town.clock() + timedelta(minutes=10) for one in due)


async def test_twilio_fails_and_recovers(
    hamlet: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departures, "SEND_SECONDS", 0.5)
    budi = hamlet.phone("sms")
    create = {"api": "twilio", "method": "create"}
    await plan(hamlet, "429", retry_after=1, **create)
    await budi.say("LAPOR")
    await budi.hears("Balas YA")
    await plan(hamlet, "500", **create)
    await budi.say("PANDUAN")
    await budi.hears("LAPOR STATUS TAMBAH")
    await plan(hamlet, "timeout", **create)
    await budi.say("BATAL")
    await budi.hears("Dibatalkan")
    await plan(hamlet, "lost_answer", **create)
    await budi.say(f"LAPOR {STORY}")
    await receipt(budi)
    await only_the_doubtful_one_is_left(hamlet)
    hamlet.clock.shift = timedelta(minutes=21)
    hamlet.app.notify()
    await is_quiet(hamlet)

    heard = await parts(budi)
    assert heard == ["Jika", "Perintah", "Dibatalkan.", "Laporan", "Terima"]
    assert await copies(hamlet.simulator, hamlet.simulator.settings) == []


async def test_messages_that_come_twice_are_taken_once(town: Running) -> None:
    budi, sari = town.phone("sms"), town.phone("telegram")
    await plan(town, "duplicate", api="twilio", method="sms")
    await plan(town, "duplicate", api="webhook", method="sms")
    await plan(town, "duplicate", api="telegram", method="message")
    await budi.say(f"LAPOR {STORY}")
    await sari.say(f"LAPOR {STORY}")
    papers = {(await receipt(budi)).number, (await receipt(sari)).number}
    await budi.hears_nothing()
    await sari.hears_nothing()
    assert {case.number for case in town.cases()} == papers
    assert [words(town, case) for case in town.cases()] == [[STORY], [STORY]]


async def wants_news(town: Running, name: str) -> Phone:
    """Report and ask for news."""
    phone: Phone = town.phone(name)
    paper = await report(phone, STORY)
    await phone.say(f"KABAR NETRAL {paper}")
    await phone.hears("kami akan mengabari")
    assert kept(town.app.database, "subscriptions") == 1
    return phone


async def test_an_opt_out_that_twilio_kept_for_itself_ends_the_news(
    town: Running,
) -> None:
    budi = await wants_news(town, "sms")
    await budi.say("STOP")
    await budi.hears("unsubscribed")
    case = town.only_case()
    await town.ask(case, "Siapa nama rekanan itu?")
    await until(lambda: "unreachable" in events(town, case), "21610 is recorded")
    assert kept(town.app.database, "subscriptions") == 0
    await budi.hears_nothing()


async def test_a_chat_that_is_forbidden_ends_the_news(hamlet: Running) -> None:
    sari = await wants_news(hamlet, "telegram")
    case = hamlet.only_case()
    await plan(hamlet, "403", api="telegram", method="sendMessage")
    await hamlet.ask(case, "Siapa nama rekanan itu?")
    await until(lambda: "unreachable" in events(hamlet, case), "403 is recorded")
    assert kept(hamlet.app.database, "subscriptions") == 0
    await hamlet.ask(case, "Masih di sana?")
    await sari.hears_nothing()


async def test_a_handset_that_does_not_exist_any_more_ends_the_news(
    hamlet: Running,
) -> None:
    await wants_news(hamlet, "sms")
    case = hamlet.only_case()
    await plan(hamlet, "undelivered", api="twilio", method="create", code=30005)
    await hamlet.ask(case, "Siapa nama rekanan itu?")
    await until(lambda: "unreachable" in events(hamlet, case), "30005 is recorded")
    assert kept(hamlet.app.database, "subscriptions") == 0
    await is_quiet(hamlet)


@pytest.mark.parametrize("name", ["sms", "whatsapp"])
async def test_statuses_out_of_order_move_nothing_back(
    hamlet: Running, name: str
) -> None:
    await plan(hamlet, "shuffle", api="webhook", method="status", times=9)
    phone = hamlet.phone(name)
    paper = await report(phone, STORY)
    await phone.say(f"STATUS {paper}")
    await phone.hears("sudah kami terima")
    await is_quiet(hamlet)
    assert await copies(hamlet.simulator, hamlet.simulator.settings) == []


async def test_one_persons_trouble_holds_nobody_else_up(hamlet: Running) -> None:
    budi = hamlet.phone("sms")
    await report(budi, STORY)
    await plan(hamlet, "500", api="twilio", method="create", phone="sms", times=2)
    await budi.say("PANDUAN")
    other = await hamlet.simulator.new_phone("neighbour", "sms")
    await other.say("LAPOR")
    await other.hears("Balas YA")
    assert not any("LAPOR STATUS TAMBAH" in said for said in await budi.heard())
    await budi.hears("LAPOR STATUS TAMBAH")
