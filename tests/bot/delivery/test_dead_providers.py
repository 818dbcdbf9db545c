"""One dead provider never slows another: every way to be dead, through real sockets."""

import asyncio
import gc
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import SQLModel

from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.delivery import departures
from bot.telemetry.breaker import Cause
from bot.telemetry.metrics import Departure
from storage import outbox
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.bot.delivery.test_delivery import START, running
from tests.journeys.telling import until
from tests.support.listening import listening
from tests.support.scripted import Answer, provider

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""Who gives up in the middle of a handshake leaves a socket to the collector, which runs
before another test is blamed for it (``collected``)."""
CHANNELS = (Channel.TELEGRAM, Channel.SMS, Channel.WHATSAPP)
LETTERS = 8
SEND_SECONDS = 2.0
WITHIN = 15.0
"""Seconds in which the others deliver all of theirs, on however loaded a machine: the dead
one's letters alone would take longer, were they tried one after the other."""
MESSAGE = {"message_id": 7, "date": 0, "chat": {"id": 1, "type": "private"}}
ACCOUNT: dict[str, Any] = {
    "account_sid": "AC" + "5" * 32,
    "auth_token": "token",
    "sender": "+15005550006",
}


async def silent(reader, _):
    """Accept and never answer."""
    while await reader.read(1024):
        continue


async def drop_by_drop(_, writer):
    """Answer one byte a second."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


@asynccontextmanager
async def dead(how):
    """Yield the address of a provider that is dead in one way."""
    match how:
        case "refuses":
            async with listening(silent) as port:
                pass
            yield f"http://127.0.0.1:{port}"
        case "no such name":
            yield "https://provider.invalid"
        case "no TLS":
            async with listening(silent) as port:
                yield f"https://127.0.0.1:{port}"
        case "never answers":
            async with listening(silent) as port:
                yield f"http://127.0.0.1:{port}"
        case _:
            async with listening(drop_by_drop) as port:
                yield f"http://127.0.0.1:{port}"


def quick(sender):
    """Let it send as fast as a test wants."""
    sender.limits = replace(
        sender.limits, per_second=200, per_chat_second=200, burst=20, in_segments=False
    )
    return sender


def senders(addresses, clock):
    """Make the real adapters, each with the address of its provider."""
    telegram = Telegram("1:token", api_base_url=f"{addresses[Channel.TELEGRAM]}/bot")
    sms = Sms(**ACCOUNT, api_base_url=addresses[Channel.SMS])
    whatsapp = WhatsApp(
        **ACCOUNT, clock=clock, api_base_url=addresses[Channel.WHATSAPP]
    )
    return [quick(one) for one in (telegram, sms, whatsapp)]


@pytest.fixture(autouse=True)
def collected():
    """Collect what was left, once the loop of the test let go of it."""
    yield
    gc.collect()


@pytest.fixture
def databases(tmp_path):
    """Return a store for each channel that may be ill."""
    made = {ill: Database(f"sqlite:///{tmp_path / ill}.db") for ill in CHANNELS}
    for database in made.values():
        SQLModel.metadata.create_all(database.write_engine)
    yield made
    for database in made.values():
        database.close()


@pytest.mark.parametrize(
    "how", ["refuses", "no such name", "no TLS", "never answers", "one byte a second"]
)
async def test_the_others_deliver_in_time(databases, monkeypatch, how):
    """Three houses, in each another channel is ill; at once, for each waits for its own."""
    monkeypatch.setattr(departures, "SEND_SECONDS", SEND_SECONDS)
    # A resolver that is asked too much at once drops a question, for five seconds.
    turns = asyncio.Semaphore(1 if how == "no such name" else len(databases))
    async with asyncio.TaskGroup() as houses:
        for ill, database in databases.items():
            houses.create_task(others_deliver(database, how, ill, turns))


async def others_deliver(database, how, ill, turns):
    telegram_says = Answer(200, {"ok": True, "result": MESSAGE})
    twilio_says = Answer(201, {"sid": "SM1", "status": "queued"})
    async with (
        turns,
        dead(how) as address,
        provider() as telegram,
        provider() as twilio,
    ):
        telegram.answers, twilio.answers = [telegram_says], [twilio_says]
        addresses = dict.fromkeys((Channel.SMS, Channel.WHATSAPP), twilio.url)
        addresses |= {Channel.TELEGRAM: telegram.url, ill: address}
        made = senders(addresses, lambda: START)
        async with running(database, *made, longest_wait=1.0) as house:
            await deliver(house, ill, {*CHANNELS} - {ill})
        for one in made:
            await one.stop()


async def deliver(house, ill, well):
    stood, gone = [], []
    tries = house.delivery._departures  # noqa: SLF001 - the house has no counters
    tries._stood_still = lambda *what: stood.append(what)  # noqa: SLF001 - as above
    tries._count = lambda *what: gone.append(what)  # noqa: SLF001 - as above
    began = time.monotonic()
    await house.writer.run(everything, house)
    await until(lambda: len(sent(gone)) >= 2 * LETTERS, "the others delivered")
    took = time.monotonic() - began
    await until(lambda: bool(stood), f"{ill} stands still")
    left = [row for row in house.rows() if row.channel == ill.value]
    assert took < WITHIN
    assert set(sent(gone)) == well
    assert stood[0] == (ill, Cause.AWAY)
    assert len(left) == LETTERS, "nothing is lost of what the dead one did not take"


def sent(gone):
    """Return the channel of each letter that was taken."""
    return [channel for channel, what in gone if what is Departure.SENT]


def everything(session, house):
    for channel in CHANNELS:
        for number in range(LETTERS):
            prefix = "whatsapp:+" if channel is Channel.WHATSAPP else ""
            letter = Letter(
                LetterKind.REPLY,
                channel,
                f"{prefix}628{number:08}",
                f"Halo {number}",
                last_inbound=int(house.now.timestamp()),
            )
            outbox.put(session, house.keys, letter, now=house.now)
