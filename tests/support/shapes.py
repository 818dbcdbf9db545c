"""The recorded payloads, and what parsers and dialogue make of one: a row of a table."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from handlers.messages import Incoming
from storage.words import Channel
from tests.support.places import PAYLOADS
from tests.support.talking import Phone

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ACCOUNT: dict[str, Any] = {
    "account_sid": "AC0",
    "auth_token": "t",
    "sender": "+15550006666",
    "api_base_url": "http://127.0.0.1:1",
}
STORY = "Q10"
CHANNELS = ("telegram", "whatsapp", "sms")


class Row(NamedTuple):
    """One payload: ``kind`` ("" where nothing is heard), and what is said of it.

    ``idle`` when nothing is open; ``telling`` while the story is told, with ``kept``, the
    steps that got something. Codes of texts, apart by spaces; "" is a silence.
    """

    name: str
    kind: str
    idle: str = ""
    telling: str = ""
    kept: str = ""


Parse = Callable[[Any], tuple[Incoming, ...]]


async def parsing(channel: str) -> tuple[Parse, Callable[[], Any]]:
    """Return a channel's parser of recorded payloads, and what closes it."""
    if channel == "telegram":
        telegram = Telegram("123456:abc", api_base_url="http://127.0.0.1:1/bot")
        return lambda raw: telegram.parse(raw, now=NOW), telegram.stop
    twilio = WhatsApp(clock=lambda: NOW, **ACCOUNT) if channel == "whatsapp" else None
    adapter = twilio or Sms(**ACCOUNT)
    return lambda raw: adapter.parse(form(raw), now=NOW), adapter.stop


async def reading(channel: str) -> Parse:
    """Return a parser of raw forms; its connections are never opened."""
    whatsapp = WhatsApp(clock=lambda: NOW, **ACCOUNT) if channel == "whatsapp" else None
    adapter = whatsapp or Sms(**ACCOUNT)
    return lambda raw: adapter.parse(raw, now=NOW)


def form(raw: dict[str, Any]) -> bytes:
    """Return fields as Twilio posts them."""
    return urlencode(raw, errors="replace").encode()


def names(channel: str) -> list[str]:
    """Return what was recorded."""
    return sorted(path.stem for path in (PAYLOADS / channel).glob("*.json"))


def payload(channel: str, name: str) -> dict[str, Any]:
    """Return a recorded payload."""
    found: dict[str, Any] = json.loads(
        (PAYLOADS / channel / f"{name}.json").read_text("utf-8")
    )
    return found


def at_the_story(channel: str) -> Phone:
    """Return a person who was asked what happened."""
    phone = Phone(Channel(channel)).say("LAPOR", "1", "1", "1", "1")
    for _ in range(9):
        if phone.state.step != STORY:
            menu = phone.state.step in {"Q06", "Q09"}
            phone.say("1" if menu else "LEWAT")
    assert phone.state.step == STORY
    return phone


def row(channel: str, name: str, parse: Parse) -> Row:
    """Return what becomes of a payload."""
    heard = parse(payload(channel, name))
    if not heard:
        return Row(name, "")
    (incoming,) = heard
    idle = Phone(Channel(channel)).take(incoming)
    telling = at_the_story(channel)
    before = len(telling.items)
    telling.take(replace(incoming, order=incoming.order and 10**9))
    kept = " ".join(item.step for item in telling.items[before:])
    return Row(
        name, incoming.kind.value, " ".join(idle.said), " ".join(telling.said), kept
    )


def rows(channel: str) -> list[Row]:
    """Return the whole table as it stands, to be written down."""

    async def work() -> list[Row]:
        parse, close = await parsing(channel)
        found = [row(channel, name, parse) for name in names(channel)]
        await close()
        return found

    return asyncio.run(work())


def paths(
    raw: object, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to everything in a payload."""
    inner: Any = raw.items() if isinstance(raw, dict) else ()
    if isinstance(raw, list):
        inner = enumerate(raw)
    for name, part in inner:
        yield (*at, name)
        yield from paths(part, (*at, name))
