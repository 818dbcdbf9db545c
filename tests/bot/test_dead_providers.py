"""One dead provider never slows another: every way to be dead, through real sockets."""

import asyncio
import gc
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from bot import delivery as delivery_module
from bot.breaker import Cause
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.metrics import Departure
from storage import outbox
from storage.letters import Letter
from storage.words import Channel, LetterKind
from tests.bot.test_delivery import START, database, running
from tests.scripted import Answer, provider

__all__ = ["database"]
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""Who gives up in the middle of a handshake leaves a socket to the collector."""
LETTERS = 8
WITHIN = 20.0
"""Seconds in which the others deliver all of theirs, on however loaded a machine: the dead
one's letters alone would take longer, were they tried one after the other."""
MESSAGE = {"message_id": 7, "date": 0, "chat": {"id": 1, "type": "private"}}
ACCOUNT: dict[str, Any] = {
    "account_sid": "AC" + "5" * 32,
    "auth_token": "token",
    "sender": "+15005550006",
}


@asynccontextmanager
async def listening(serve):
    """Listen on loopback; yield the port; leave nothing open."""
    open_: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def kept(reader, writer):
        task = asyncio.current_task()
        assert task is not None
        open_.append((task, writer))
        with suppress(ConnectionError, asyncio.CancelledError):
            await serve(reader, writer)

    server = await asyncio.start_server(kept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in open_:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in open_), return_exceptions=True)
        await asyncio.sleep(0.05)


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


@pytest.mark.parametrize("ill", [Channel.WHATSAPP, Channel.SMS, Channel.TELEGRAM])
@pytest.mark.parametrize(
    "how", ["refuses", "no such name", "no TLS", "never answers", "one byte a second"]
)
async def test_the_others_deliver_in_time(database, monkeypatch, how, ill):
    monkeypatch.setattr(delivery_module, "SEND_SECONDS", 4.0)
    well = [
        one for one in (Channel.TELEGRAM, Channel.SMS, Channel.WHATSAPP) if one != ill
    ]
    telegram_says = Answer(200, {"ok": True, "result": MESSAGE})
    twilio_says = Answer(201, {"sid": "SM1", "status": "queued"})
    async with dead(how) as address, provider() as telegram, provider() as twilio:
        telegram.answers, twilio.answers = [telegram_says], [twilio_says]
        addresses = dict.fromkeys((Channel.SMS, Channel.WHATSAPP), twilio.url)
        addresses |= {Channel.TELEGRAM: telegram.url, ill: address}
        stood, gone = [], []
        made = senders(addresses, lambda: START)
        async with running(database, *made, longest_wait=1.0) as house:
            house.delivery._stood_still = lambda *what: stood.append(what)  # noqa: SLF001
            house.delivery._count = lambda *what: gone.append(what)  # noqa: SLF001
            began = time.monotonic()
            await house.writer.run(everything, house, [ill, *well])
            async with asyncio.timeout(WITHIN):
                while sum(what is Departure.SENT for _, what in gone) < 2 * LETTERS:  # noqa: ASYNC110 - as told
                    await asyncio.sleep(0.02)
            took = time.monotonic() - began
            async with asyncio.timeout(WITHIN):
                while not stood:  # noqa: ASYNC110 - as told
                    await asyncio.sleep(0.02)
            left = [row for row in house.rows() if row.channel == ill.value]
        for one in made:
            await one.stop()
    gc.collect()
    assert took < WITHIN
    assert {channel for channel, what in gone if what is Departure.SENT} == set(well)
    assert stood[0] == (ill, Cause.AWAY)
    assert len(left) == LETTERS, "nothing is lost of what the dead one did not take"


def everything(session, house, channels):
    for channel in channels:
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
