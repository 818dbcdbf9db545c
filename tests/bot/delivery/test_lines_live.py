"""Flow against the simulator: rates kept to the letter, and machines that answer machines."""

import asyncio
from dataclasses import replace

import pytest
from sqlmodel import func, select

from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from handlers.throttle import SAME_WORDS
from storage import outbox
from storage.letters.letter import Letter
from storage.models import Item, OutboxRow
from storage.words import Channel, LetterKind
from tests.support.phones import Simulator
from tests.support.running import Running, running

pytestmark = pytest.mark.faults

TURNS = 45
"""The longest exchange with a machine: what one person is answered in a minute, and a bit."""


@pytest.fixture
def brisk(monkeypatch):
    """Let letters leave as fast as a machine answers them."""
    for channel in (Telegram, Sms, WhatsApp):
        limits = replace(channel.limits, per_second=100, per_chat_second=100)
        monkeypatch.setattr(channel, "limits", limits)


@pytest.fixture
async def town(tmp_path, simulator):
    url = f"sqlite:///{tmp_path / 'kentongan.db'}"
    async with running(url, tmp_path, simulator, TELEGRAM__MODE="polling") as here:
        yield here


def waiting(town: Running) -> int:
    with town.app.database.reading() as session:
        return session.exec(select(func.count()).select_from(OutboxRow)).one()


async def quiet(town: Running, seconds: float) -> None:
    """Wait until nothing waits to leave."""
    async with asyncio.timeout(seconds):
        while waiting(town):  # noqa: ASYNC110 - as told
            await asyncio.sleep(0.05)


COUNTS = {Channel.TELEGRAM: (30, 3), Channel.WHATSAPP: (45, 3), Channel.SMS: (3, 1)}
"""People of each channel, and how many letters each of them gets: 228 in all, on either
channel far more than its provider takes in a second."""
ROUNDS = 2
"""A loaded machine holds letters up on their way, so that they arrive too close together;
one that sends too fast does so each time."""


async def address_of(simulator, channel: Channel, number: int) -> str:
    """Make a phone; whoever is not on SMS writes first."""
    phone = await simulator.new_phone(f"{channel}{number}", channel)
    if channel is not Channel.SMS:
        await phone.say("halo")
    look = await phone.look()
    on_whatsapp = channel is Channel.WHATSAPP
    return f"whatsapp:{look['external_id']}" if on_whatsapp else str(look["address"])


async def test_two_hundred_letters_meet_no_429_at_providers_who_are_strict(
    tmp_path, providers
):
    found = []
    for number in range(ROUNDS):
        url = f"sqlite:///{tmp_path / str(number)}.db"
        async with (
            Simulator(url=providers) as simulator,
            running(url, tmp_path, simulator, TELEGRAM__MODE="polling") as town,
        ):
            await everybody_is_written_to(town, simulator)
            found = refusals(town)
        if not found:
            break
    assert found == []


async def everybody_is_written_to(town, simulator):
    await simulator.control("settings", strict_pace=True)
    people = {
        channel: await asyncio.gather(
            *(address_of(simulator, channel, number) for number in range(count))
        )
        for channel, (count, _) in COUNTS.items()
    }
    await quiet(town, 60)
    await town.app.writer.run(post, town, people)
    await quiet(town, 60)
    for channel, (count, turns) in COUNTS.items():
        for number in range(count):
            heard = await simulator.phone(f"{channel}{number}").heard()
            mine = [text.split()[1] for text in heard if text.startswith("kabar")]
            assert mine == [str(turn) for turn in range(turns)], (channel, number)


def post(session, town, people):
    now = town.clock()
    for channel, addresses in people.items():
        for turn in range(COUNTS[channel][1]):
            for address in addresses:
                words = f"kabar {turn} untuk {address}" + " x" * 90
                inbound = int(now.timestamp())
                letter = Letter(
                    LetterKind.ALERT, channel, address, words, last_inbound=inbound
                )
                outbox.put(session, town.app.office.keys, letter, now=now)


def refusals(town: Running) -> list[str]:
    """Return the counters that a provider's 429 would have moved."""
    lines = town.app.metrics.render().decode().splitlines()
    about = ('outcome="busy"', "channel_rests")
    found = [line for line in lines if any(word in line for word in about)]
    return [one for one in found if "_total{" in one and not one.endswith(" 0.0")]


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("telegram", "OK"),
        ("whatsapp", "Pesan nomor {n}: terima kasih"),
        ("sms", "Saya sedang cuti sampai Senin, pesan {n}."),
    ],
)
async def test_two_machines_that_answer_each_other_come_to_an_end(
    town, simulator, name, words
):
    phone = simulator.phone(name)
    await phone.answers_by_itself(words)
    await phone.say("LAPOR Panitia lelang membocorkan harga")
    seen = -1
    async with asyncio.timeout(50):
        while (now := len((await phone.look())["messages"])) != seen or waiting(town):
            seen = now
            await asyncio.sleep(1)
    said = [
        line for line in (await phone.look())["messages"] if line["sender"] == "person"
    ]
    assert len(said) <= (3 * SAME_WORDS if "{n}" in words else TURNS), len(said)
    with town.app.database.reading() as session:
        kept = session.exec(select(func.count()).select_from(Item)).one()
    assert kept <= 2 * len(said)
    await phone.answers_by_itself("")
    await phone.skips_to_now()
    await phone.say("BANTUAN")
    assert await phone.hears(""), "a person at the same phone is answered at once"
