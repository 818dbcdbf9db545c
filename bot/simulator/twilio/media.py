"""Twilio's media: what is known of a file, and its bytes one redirect away."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.simulator import wire
from bot.simulator.clock import rfc2822
from bot.simulator.rules.faults import ANSWERS
from bot.simulator.twilio.messages import Messages
from bot.simulator.twilio.resources import Media, Message, TwilioError

ROOT = "/2010-04-01/Accounts/{account}/Messages"
PAGE = 50
Endpoint = Callable[[Request], Awaitable[Response]]


class MediaApi:
    """Endpoints of the files of messages."""

    def __init__(self, messages: Messages) -> None:
        self.world = messages.world
        self.messages = messages

    def routes(self, guard: Callable[[str, Endpoint], Endpoint]) -> list[Route]:
        """Where media lie; all but the store are behind ``guard``."""
        one = ROOT + "/{sid}/Media/{media}"
        return [
            Route(ROOT + "/{sid}/Media.json", guard("media.list", self.list)),
            Route(f"{one}.json", guard("media.fetch", self.fetch), methods=["GET"]),
            Route(
                f"{one}.json", guard("media.delete", self.delete), methods=["DELETE"]
            ),
            Route(one, guard("media.content", self.redirect), methods=["GET"]),
            Route("/media-store/{key}", self.store, methods=["GET"]),
        ]

    def _media(self, request: Request) -> tuple[Message, Media]:
        message = self.messages.fetch(request.path_params["sid"])
        for media in message.media:
            if media.sid == request.path_params["media"]:
                return message, media
        raise TwilioError(
            404, 20404, f"The requested resource {request.url.path} was not found"
        )

    def _shown(self, message: Message, media: Media) -> dict[str, Any]:
        account = self.world.settings.account_sid
        return {
            "sid": media.sid,
            "account_sid": account,
            "parent_sid": message.sid,
            "content_type": media.stored.content_type,
            "date_created": rfc2822(media.created),
            "date_updated": rfc2822(media.created),
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{message.sid}/Media/{media.sid}.json",
        }

    async def list(self, request: Request) -> Response:
        """Give the media of a message, on one page."""
        message = self.messages.fetch(request.path_params["sid"])
        shown = [self._shown(message, media) for media in message.media]
        uri = request.url.path
        return wire.Json(
            {
                "media_list": shown,
                "page": 0,
                "page_size": PAGE,
                "start": 0,
                "end": max(len(shown) - 1, 0),
                "uri": uri,
                "first_page_uri": uri,
                "previous_page_uri": None,
                "next_page_uri": None,
            }
        )

    async def fetch(self, request: Request) -> Response:
        """Tell what is known of one file."""
        return wire.Json(self._shown(*self._media(request)))

    async def delete(self, request: Request) -> Response:
        """Remove one file."""
        message, media = self._media(request)
        message.media.remove(media)
        return Response(status_code=204)

    async def redirect(self, request: Request) -> Response:
        """To where the bytes lie; credentials must not follow."""
        _, media = self._media(request)
        self.world.files[media.sid] = media.stored
        return RedirectResponse(f"/media-store/{media.sid}", 307)

    async def store(self, request: Request) -> Response:
        """Give the bytes of a file; whether credentials came along is remembered."""
        forwarded = "authorization" in request.headers
        self.world.record("media-store", "get", {}, authorization=forwarded)
        fault = self.world.faults.take("twilio", "media-store", ANSWERS)
        if fault and (early := await wire.happen(fault, request)):
            return early
        if fault and fault.status:
            return Response(status_code=fault.status)
        if fault and fault.fault == "lost_answer":
            return wire.HangUp()
        stored = self.world.files.get(request.path_params["key"])
        if stored is None:
            return Response(status_code=404)
        return Response(stored.content, media_type=stored.content_type)
