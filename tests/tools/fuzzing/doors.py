"""Targets at the doors: what providers and the canary post to us."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from bot.channels import base, twilio_forms
from bot.channels.base import Unparseable
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram, chat_of, verify
from bot.channels.whatsapp import WhatsApp
from bot.simulator.twilio.carrier import signature
from bot.watch.canary_channel import Canary
from bot.webhooks import as_bytes
from handlers.messages import Incoming
from tests.support import shapes
from tests.tools.fuzzing.target import Shape, Target

TOKEN = "the-token-that-signs"
URL = "https://lapor.example/webhooks/twilio/sms"
SIGNED = {"From": "+15550001111", "Body": "LAPOR jalan rusak", "MessageSid": "SM1"}


@cache
def telegram() -> Telegram:
    return Telegram("123456:abc", api_base_url="http://127.0.0.1:1/bot")


@cache
def sms() -> Sms:
    return Sms(**shapes.ACCOUNT)


@cache
def whatsapp() -> WhatsApp:
    return WhatsApp(clock=lambda: shapes.NOW, **shapes.ACCOUNT)


def is_sound(heard: tuple[Incoming, ...], widest: int = base.WIDEST_HANDLE) -> None:
    """Hold what was understood against what the rest of the house relies on."""
    for one in heard:
        assert 0 < len(one.handle) <= widest + len("whatsapp:")
        assert 0 < len(one.provider_id) <= widest
        assert one.received <= shapes.NOW
        for words in (one.text, one.press, *(media.name for media in one.media)):
            words.encode()


def update(raw: bytes) -> None:
    """Read an update as the door does (``bot/webhooks.py``)."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return
    if isinstance(told, dict):
        assert isinstance(chat_of(told), int)
        with suppress(RecursionError):
            as_bytes(told)
        is_sound(telegram().parse(told, now=shapes.NOW))


def form(adapter: Callable[[], Sms | WhatsApp]) -> Callable[[bytes], None]:
    return lambda raw: is_sound(adapter().parse(raw, now=shapes.NOW))


def status(raw: bytes) -> None:
    told = twilio_forms.parse_status(raw)
    if told is not None:
        assert 0 < told.rank <= max(twilio_forms.RANKS.values())
        assert told.error is None or isinstance(told.error, base.SendError)


def canary(raw: bytes) -> None:
    is_sound(Canary().parse(raw, now=shapes.NOW), 4096)


def signed(raw: bytes) -> None:
    """A signature holds for the fields that were signed, and for no others."""
    pairs = twilio_forms.pairs(raw)
    good = signature(TOKEN, URL, SIGNED)
    same = set(pairs) == set(SIGNED.items())
    # Twilio's own scheme joins names and values without a mark between them.
    joined = "".join(n + v for n, v in sorted(set(pairs)))
    alike = joined == "".join(n + v for n, v in sorted(SIGNED.items()))
    assert twilio_forms.verify(URL, pairs, good, (TOKEN,)) == (same or alike)
    text = raw.decode("latin-1")
    assert not twilio_forms.verify(URL, SIGNED.items(), text, (TOKEN,)) or text == good
    assert not twilio_forms.verify(URL, pairs, good, ())
    assert verify(text, "x" * 16) == (raw == b"x" * 16)


def recorded(*channels: str) -> Callable[[], Iterator[bytes]]:
    """Return the recorded payloads of channels as the bytes that were posted."""

    def seeds() -> Iterator[bytes]:
        for channel in channels:
            for name in shapes.names(channel):
                raw: dict[str, Any] = shapes.payload(channel, name)
                yield (
                    json.dumps(raw).encode()
                    if channel == "telegram"
                    else shapes.form(raw)
                )

    return seeds


TARGETS = (
    Target("telegram.update", update, (Unparseable,), Shape.JSON, recorded("telegram")),
    Target("sms.form", form(sms), (Unparseable,), Shape.FORM, recorded("sms")),
    Target(
        "whatsapp.form",
        form(whatsapp),
        (Unparseable,),
        Shape.FORM,
        recorded("whatsapp"),
    ),
    Target("twilio.status", status, (Unparseable,), Shape.FORM),
    Target("twilio.signature", signed, (Unparseable,), Shape.FORM),
    Target("canary.message", canary, (Unparseable,), Shape.JSON),
)
