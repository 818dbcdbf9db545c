"""Where providers knock: bounded bodies, signatures, then one durable transaction.

First of the five files of one message: here it is checked, ``bot/channels/telegram.py``
parses it, ``handlers/inbox.py`` receives it, ``handlers/dialogue.py`` decides and
``storage/outbox.py`` holds the answers (``bot/intake/intake.py`` is the pipe between). Nothing is
answered before it is durable. A forged request is 403 and leaves a counter; what can never
be taken is kept, sealed, and answered 2xx, for a provider that hears anything else comes
again and holds up whoever waits behind; when the store is down nobody gets a 2xx.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels import base, telegram, twilio_forms
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.twilio_forms import Ours
from bot.channels.whatsapp import WhatsApp
from bot.intake import bodies
from bot.intake.bodies import BodyCut, BodyTooLarge
from bot.intake.intake import Intake
from bot.telemetry.metrics import Intake as Counted
from bot.telemetry.metrics import Metrics
from bot.writer import StoreUnavailable, Writer
from handlers.notices import statuses
from handlers.office import Office
from storage.words import Channel

PATIENCE = 10.0
"""Seconds of trying again before Twilio, which does not repeat a 5xx, gets one.

What is in the writer's hands is waited for: its answer says whether it is durable.
"""
_WAIT = 0.25
_SETTLING = (0.0, 0.3, 1.0)
"""Seconds before each look: the last word on a letter may come before we know its id."""
_EMPTY = HTTPStatus.NO_CONTENT
_AGAIN = {"Retry-After": "2"}


class TelegramDoor:
    """``POST /webhooks/telegram``: the secret header, JSON, an empty 200."""

    def __init__(
        self, channel: Telegram, intake: Intake, *, secret: str, metrics: Metrics
    ) -> None:
        self._channel = channel
        self._intake = intake
        self._secret = secret
        self._metrics = metrics

    async def endpoint(self, request: Request) -> Response:
        """Take one update."""
        given = request.headers.get("x-telegram-bot-api-secret-token")
        if not telegram.verify(given, self._secret):
            self._metrics.came_in(Channel.TELEGRAM, Counted.FORGED)
            return Response(status_code=HTTPStatus.FORBIDDEN)
        try:
            await self._take(request)
        except BodyCut:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except StoreUnavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_AGAIN)
        return Response()

    async def _take(self, request: Request) -> None:
        body = b""
        try:
            body = await bodies.read(request, drain=True)
            await self._read(body)
        except BodyTooLarge as error:
            self._metrics.came_in(Channel.TELEGRAM, Counted.REFUSED)
            head, why = error.head, "telegram.size"
            await self._intake.keep(Channel.TELEGRAM, head, why)
        except (BodyCut, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not come again
            await self._intake.stumbled(Channel.TELEGRAM, body, error)

    async def _read(self, body: bytes) -> None:
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            update = None
        if not isinstance(update, dict):
            self._metrics.came_in(Channel.TELEGRAM, Counted.MALFORMED)
            await self._intake.keep(Channel.TELEGRAM, body, "telegram.json")
            return
        await self._intake.take(self._channel, update, body)


class TwilioDoor:
    """``POST /webhooks/twilio/…``: the signature, a form, an empty 204.

    A call to a fallback address is a call like any other: signed, with two fields more
    (``ErrorCode``, ``ErrorUrl``), and a repeat where the first one arrived after all.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        public_url: str,
        tokens: tuple[str, ...],
        metrics: Metrics,
    ) -> None:
        self._intake = intake
        self._public_url = public_url
        self._tokens = tokens
        self._metrics = metrics

    def message(self, channel: Sms | WhatsApp, ours: Ours) -> "Endpoint":
        """Return the endpoint for incoming messages of one channel."""

        async def take(body: bytes) -> None:
            await self._intake.take(channel, body, body)

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, channel.name, ours, take)

        return endpoint

    def status(
        self,
        writer: Writer,
        office: Office,
        clock: Callable[[], datetime],
        ours: Ours,
    ) -> "Endpoint":
        """Return the endpoint for what became of our own messages."""

        async def take(body: bytes) -> None:
            update = twilio_forms.parse_status(body)
            if update is None:
                return
            news = _news(update, _channel_of(body))
            for wait in _SETTLING:
                await asyncio.sleep(wait)
                if await writer.act(office, clock(), statuses.apply, news):
                    return
                if not news.final:
                    return
            await writer.act(office, clock(), statuses.lost, news)

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, Channel.SMS, ours, take)

        return endpoint

    async def _answer(
        self,
        request: Request,
        channel: Channel,
        ours: Ours,
        take: Callable[[bytes], Awaitable[None]],
    ) -> Response:
        try:
            body = await bodies.read(request)
        except BodyCut:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except BodyTooLarge:
            self._metrics.came_in(channel, Counted.REFUSED)
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not self._is_for_us(request, body, ours):
            self._metrics.came_in(channel, Counted.FORGED)
            return Response(status_code=HTTPStatus.FORBIDDEN)
        try:
            await self._try(channel, take, body)
        except StoreUnavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_AGAIN)
        return Response(status_code=_EMPTY)

    async def _try(
        self, channel: Channel, take: Callable[[bytes], Awaitable[None]], body: bytes
    ) -> None:
        try:
            await _patiently(take, body)
        except base.Unparseable:
            self._metrics.came_in(channel, Counted.MALFORMED)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours is not mended by a repeat
            await self._intake.stumbled(channel, body, error)

    def _is_for_us(self, request: Request, body: bytes, ours: Ours) -> bool:
        path = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        url = twilio_forms.signed_address(self._public_url, path, query)
        try:
            form = twilio_forms.pairs(body)
        except base.Unparseable:
            return False
        shown = request.headers.get("x-twilio-signature", "")
        signed = twilio_forms.verify(url, form, shown, self._tokens)
        return signed and twilio_forms.is_ours(body, ours)


def as_bytes(update: Mapping[str, Any]) -> bytes:
    """Return an update as the bytes that quarantine would keep."""
    return json.dumps(update).encode("ascii")


Endpoint = Callable[[Request], Awaitable[Response]]


def route(path: str, endpoint: Endpoint) -> Route:
    """Return a POST route for a provider."""
    return Route(path, endpoint, methods=["POST"])


async def _patiently(take: Callable[[bytes], Awaitable[None]], body: bytes) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + PATIENCE
    while True:
        try:
            return await take(body)
        except StoreUnavailable:
            if loop.time() >= ends:
                raise
            await asyncio.sleep(_WAIT)


def _news(update: twilio_forms.StatusUpdate, channel: Channel) -> statuses.News:
    error, code = update.error, str(update.error_code or update.state)
    gone = isinstance(error, base.Unreachable)
    return statuses.News(
        channel=channel,
        provider_id=update.provider_id,
        rank=update.rank,
        final=update.final,
        unreachable=code if gone else "",
        failed=code if error is not None and not gone else "",
        closed=type(error) is base.WindowClosed,
        again=isinstance(error, base.Later),
        left=update.rank >= twilio_forms.LEFT,
    )


def _channel_of(body: bytes) -> Channel:
    sender = twilio_forms.fields(body).get("From", "")
    return Channel.WHATSAPP if sender.startswith("whatsapp:") else Channel.SMS
