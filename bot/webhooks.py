"""Where providers knock: bounded bodies, signatures, then one durable transaction.

First of the five files of one message: here it is checked, ``bot/channels/telegram.py``
parses it, ``handlers/inbox.py`` receives it, ``handlers/dialogue.py`` decides and
``storage/outbox.py`` holds the answers (``bot/intake.py`` is the pipe between). Nothing is
answered before it is durable. A forged request is 403 and leaves a counter; what cannot be
parsed is kept, sealed, and answered 2xx; when the store is down nobody gets a 2xx.
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
from bot.channels.whatsapp import WhatsApp
from bot.intake import Intake
from bot.metrics import Intake as Counted
from bot.metrics import Metrics
from bot.writer import StoreUnavailable, Writer
from handlers import statuses
from handlers.office import Office
from storage.words import Channel

MOST_BYTES = 1 << 20
PATIENCE = 10.0
"""Seconds of trying before Twilio, which does not repeat a 5xx, gets one."""
_WAIT = 0.25
_SETTLING = (0.0, 0.3, 1.0)
"""Seconds before each look: the last word on a letter may come before we know its id."""
_EMPTY = HTTPStatus.NO_CONTENT
_AGAIN = {"Retry-After": "2"}


class BodyTooLarge(Exception):
    """The body has more than 1 MiB; no message of a provider has."""


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
            body = await _body(request)
            await self._take(body)
        except BodyTooLarge:
            self._metrics.came_in(Channel.TELEGRAM, Counted.REFUSED)
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except StoreUnavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_AGAIN)
        return Response()

    async def _take(self, body: bytes) -> None:
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            update = None
        if not isinstance(update, dict):
            self._metrics.came_in(Channel.TELEGRAM, Counted.MALFORMED)
            await self._intake.keep_aside(Channel.TELEGRAM, body, "telegram.json")
            return
        await self._intake.take(self._channel, update, body)


class TwilioDoor:
    """``POST /webhooks/twilio/…``: the signature, a form, an empty 204."""

    def __init__(
        self, *, public_url: str, tokens: tuple[str, ...], metrics: Metrics
    ) -> None:
        self._public_url = public_url
        self._tokens = tokens
        self._metrics = metrics

    def message(self, channel: Sms | WhatsApp, intake: Intake) -> "Endpoint":
        """Return the endpoint for incoming messages of one channel."""

        async def endpoint(request: Request) -> Response:
            async def take(body: bytes) -> None:
                await intake.take(channel, body, body)

            return await self._answer(request, channel.name, take)

        return endpoint

    def status(
        self, writer: Writer, office: Office, clock: Callable[[], datetime]
    ) -> "Endpoint":
        """Return the endpoint for what became of our own messages."""

        async def endpoint(request: Request) -> Response:
            async def take(body: bytes) -> None:
                channel = _channel_of(body)
                update = twilio_forms.parse_status(body)
                if update is None:
                    return
                error = update.error
                news = statuses.News(
                    channel=channel,
                    provider_id=update.provider_id,
                    rank=update.rank,
                    final=update.final,
                    unreachable=str(update.error_code)
                    if isinstance(error, base.Unreachable)
                    else "",
                )
                for wait in _SETTLING:
                    await asyncio.sleep(wait)
                    if await writer.run(statuses.apply, office, news, now=clock()):
                        return
                    if not news.final:
                        return
                await writer.run(statuses.lost, office, news, now=clock())

            return await self._answer(request, Channel.SMS, take)

        return endpoint

    async def _answer(
        self,
        request: Request,
        channel: Channel,
        take: Callable[[bytes], Awaitable[None]],
    ) -> Response:
        try:
            body = await _body(request)
        except BodyTooLarge:
            self._metrics.came_in(channel, Counted.REFUSED)
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not self._is_signed(request, body):
            self._metrics.came_in(channel, Counted.FORGED)
            return Response(status_code=HTTPStatus.FORBIDDEN)
        try:
            await _patiently(take, body)
        except base.Unparseable:
            self._metrics.came_in(channel, Counted.MALFORMED)
        except StoreUnavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_AGAIN)
        return Response(status_code=_EMPTY)

    def _is_signed(self, request: Request, body: bytes) -> bool:
        path = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        url = twilio_forms.signed_address(self._public_url, path, query)
        signature = request.headers.get("x-twilio-signature", "")
        try:
            form = twilio_forms.pairs(body)
        except base.Unparseable:
            return False
        return twilio_forms.verify(url, form, signature, self._tokens)


def as_bytes(update: Mapping[str, Any]) -> bytes:
    """Return an update as the bytes that quarantine would keep."""
    return json.dumps(update).encode("ascii")


Endpoint = Callable[[Request], Awaitable[Response]]


def route(path: str, endpoint: Endpoint) -> Route:
    """Return a POST route for a provider."""
    return Route(path, endpoint, methods=["POST"])


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BodyTooLarge
    return bytes(body)


async def _patiently(take: Callable[[bytes], Awaitable[None]], body: bytes) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + PATIENCE
    while True:
        try:
            await take(body)
        except StoreUnavailable:
            if loop.time() >= ends:
                raise
            await asyncio.sleep(_WAIT)
        else:
            return


def _channel_of(body: bytes) -> Channel:
    sender = twilio_forms.fields(body).get("From", "")
    return Channel.WHATSAPP if sender.startswith("whatsapp:") else Channel.SMS
