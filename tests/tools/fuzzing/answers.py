"""Targets in what providers answer: getUpdates, Twilio's lists, receipts of a sending."""

import asyncio
import atexit
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import httpx

from bot.channels import base, twilio_listing
from bot.channels.base import Sent, Unparseable
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.twilio_listing import Listing
from bot.intake import poller
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.support import shapes
from tests.tools.fuzzing.doors import recorded
from tests.tools.fuzzing.target import Shape, Target

STATUSES = (200, 400, 401, 403, 404, 409, 429, 500)
LETTER = Letter(LetterKind.REPLY, Channel.SMS, "+15550001111", "Terima kasih")
CHAT = Letter(LetterKind.REPLY, Channel.TELEGRAM, "7001", "Terima kasih")
SINCE = shapes.NOW - timedelta(hours=1)


@cache
def loop() -> asyncio.AbstractEventLoop:
    made = asyncio.new_event_loop()
    atexit.register(made.close)
    return made


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return loop().run_until_complete(work)


class Provider(httpx.AsyncBaseTransport):
    """Answers everything with the same status and bytes."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"", {"retry-after": "2"}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return httpx.Response(self.status, content=self.body, headers=self.headers)


@cache
def provider() -> Provider:
    return Provider()


@cache
def web() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=provider())


@cache
def telegram() -> Telegram:
    adapter = Telegram("123456:abc", api_base_url="http://127.0.0.1:1/bot")
    for request in adapter._requests:  # noqa: SLF001 - nothing leaves this process
        request._client = web()  # noqa: SLF001
    return adapter


@cache
def sms() -> Sms:
    adapter = Sms(**shapes.ACCOUNT)
    adapter._transport.web = web()  # noqa: SLF001 - nothing leaves this process
    return adapter


@cache
def listing() -> Listing:
    made = Listing(account_sid="AC0", auth_token="t", api_base_url="http://127.0.0.1:1")
    made._transport.web = web()  # noqa: SLF001 - nothing leaves this process
    return made


def each_status(ask: Callable[[], Coroutine[Any, Any, Any]], body: bytes) -> None:
    """Answer with every status: it went, or a policy says what to do."""

    async def all_of_them() -> None:
        provider().body = body
        for provider().status in STATUSES:
            with suppress(base.SendError):
                answer = await ask()
                assert answer is None or isinstance(answer, Sent)

    run(all_of_them())


def telegram_answer(body: bytes) -> None:
    each_status(lambda: telegram().send(CHAT), body)


def telegram_file(body: bytes) -> None:
    async def ask() -> None:
        async with telegram().fetch("AgAD"):
            return

    each_status(ask, body)


def twilio_answer(body: bytes) -> None:
    each_status(lambda: sms().send(LETTER), body)


def twilio_found(body: bytes) -> None:
    each_status(lambda: sms().find(LETTER, SINCE), body)


def listed(body: bytes) -> None:
    """What a list names can be told as a form that the channel reads or finds unparseable."""

    async def ask() -> None:
        page = await listing().first("+15550006666", SINCE)
        assert isinstance(page.following, str)
        if page.following:
            with suppress(base.SendError):
                await listing().following(page, "+15550006666")
        for message in page.messages:
            assert message.sent.tzinfo is not None
            with suppress(Unparseable):
                sms().parse(await listing().form(message), now=shapes.NOW)

    each_status(ask, body)


def dated(raw: bytes) -> None:
    """Read a provider's headers."""
    text = raw.decode("latin-1")
    after = base.retry_after({"retry-after": text})
    assert after is None or 0 <= after <= 3600
    told = twilio_listing._clock({"date": text})  # noqa: SLF001 - what a page does
    assert told is None or told.tzinfo is not None


class Ledger:
    """A writer that holds the lease and remembers how far the offset moved."""

    def __init__(self) -> None:
        self.moved: int | None = None

    async def run(self, verb: Callable[..., object], *args: Any, **_: object) -> Any:
        if verb.__name__ == "move_cursor":
            self.moved = args[-1]
        return 1 if verb.__name__ == "cursor" else True


def fetched(body: bytes) -> None:
    """Poll once: the offset moves over nothing that was not handed over."""

    async def once() -> None:
        taken: list[Any] = []
        ledger = Ledger()

        async def receive(one: object) -> None:
            taken.append(one)

        async def tell(_name: str, _wrong: str) -> None:
            return

        polling = poller.Poller(
            telegram().bot, ledger, receive,  # type: ignore[arg-type] # stands in
            give_up=receive, tell=tell, clock=lambda: shapes.NOW, holder="x", long_poll=0,
        )  # fmt: skip
        provider().body, provider().status = body, 200
        polling._webhook_gone = True  # noqa: SLF001 - it answers the same
        rest = await polling._round()  # noqa: SLF001 - one of the endless ones
        assert 0 <= rest <= poller.LONGEST_REST
        if ledger.moved is not None:
            told = json.loads(body.decode("utf-8", "replace"))["result"]
            known = [json.dumps(one) for one in taken]
            wanted = {
                json.dumps(one if isinstance(one, dict) else {"update": one})
                for one in told
            }
            names = {str(one.get("update_id")) for one in taken}
            missed = {
                one
                for one in wanted - set(known)
                if str(json.loads(one).get("update_id")) not in names
            }
            assert not missed

    run(once())


def updates() -> Any:
    for raw in recorded("telegram")():
        yield b'{"ok":true,"result":[' + raw + b"]}"


TARGETS = (
    Target("telegram.updates", fetched, (), Shape.JSON, updates, examples=20),
    Target("telegram.answer", telegram_answer, (), Shape.JSON, examples=20),
    Target("telegram.file", telegram_file, (), Shape.JSON, examples=20),
    Target("twilio.answer", twilio_answer, (), Shape.JSON, examples=20),
    Target("twilio.found", twilio_found, (), Shape.JSON, examples=20),
    Target("twilio.list", listed, (), Shape.JSON, examples=20),
    Target("provider.headers", dated, longest=65_536),
)
