"""The HTTP endpoint that the canary posts to: from here on its messages go the usual way.

It is no part of the contract: without the secret of this process it answers 404.
"""

import hmac
import secrets
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.channels import base
from bot.intake.intake import Intake
from bot.watch.canary_channel import Canary
from bot.writer import StoreUnavailable

PATH = "/webhooks/canary"
HEADER = "x-kentongan-canary"
MOST_BYTES = 16 << 10
_ANY = datetime(2000, 1, 1, tzinfo=UTC)


class Door:
    """``POST /webhooks/canary``: 404 unless the secret of this process is shown."""

    def __init__(self, channel: Canary, intake: Intake) -> None:
        self.secret = secrets.token_urlsafe(32)
        self._channel = channel
        self._intake = intake

    def route(self) -> Route:
        """Return the route of this door: an app, since a function would own to its methods."""
        return Route(PATH, self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await self.endpoint(Request(scope, receive))
        await answer(scope, receive, send)

    async def endpoint(self, request: Request) -> Response:
        """Take one message of the canary: 204 when it is durable."""
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), self.secret.encode()):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        raw = bytes(body)
        try:
            self._channel.parse(raw, now=_ANY)
            await self._intake.take(self._channel, raw, raw)
        except base.Unparseable:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except StoreUnavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(status_code=HTTPStatus.NO_CONTENT)
