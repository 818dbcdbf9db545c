"""A small Twilio Messages API: ``/2010-04-01/Accounts/{sid}/Messages…`` and media."""

import base64
import hmac
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator import wire
from bot.simulator.clock import moment
from bot.simulator.rules.faults import ANSWERS
from bot.simulator.rules.storm import SILENCE
from bot.simulator.twilio.carrier import Carrier
from bot.simulator.twilio.media import PAGE, ROOT, Endpoint, MediaApi
from bot.simulator.twilio.messages import Messages
from bot.simulator.twilio.people import People
from bot.simulator.twilio.resources import Message, TwilioError, refusal
from bot.simulator.world import World

PAGE_LIMIT = 1000
TOO_MANY = 429
UNAUTHORIZED = 401


class Twilio:
    """The Messages API of one account."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.carrier = Carrier(world)
        self.messages = Messages(world, self.carrier)
        self.people = People(self.messages)
        self.media = MediaApi(self.messages)
        world.on_reset += [self.messages.forget, self.carrier.forget]

    def routes(self) -> list[Route]:
        """Where the API listens."""
        guard = self._guarded
        one = ROOT + "/{sid}.json"
        return [
            Route(f"{ROOT}.json", guard("create", self.create), methods=["POST"]),
            Route(f"{ROOT}.json", guard("list", self.list), methods=["GET"]),
            Route(one, guard("fetch", self.fetch), methods=["GET"]),
            Route(one, guard("update", self.update), methods=["POST"]),
            Route(one, guard("delete", self.delete), methods=["DELETE"]),
            Route(
                ROOT.removesuffix("/Messages") + "/IncomingPhoneNumbers.json",
                guard("numbers", self.numbers),
                methods=["GET"],
            ),
            *self.media.routes(guard),
        ]

    def _guarded(self, name: str, work: Endpoint) -> Endpoint:
        """Credentials, record, planned fault, then the work; errors in Twilio's form."""

        async def endpoint(request: Request) -> Response:
            try:
                pairs = await wire.form(request) if request.method == "POST" else []
            except wire.NotReadable:
                return wire.HangUp()
            request.state.pairs = pairs
            params: dict[str, Any] = dict(request.query_params) | dict(pairs)
            channel = (
                "whatsapp" if params.get("To", "").startswith("whatsapp:") else "sms"
            )
            bare = str(params.get("To", "")).removeprefix("whatsapp:")
            phone = self.world.phones.of_number(channel, bare)
            known = phone.name if phone else ""
            try:
                self._authenticate(request)
                self.world.record(
                    "twilio", name, params, phone=known, path=dict(request.path_params)
                )
                return await self._answer(request, name, work, known)
            except TwilioError as error:
                return _refusal(error)

        return endpoint

    async def _answer(
        self, request: Request, name: str, work: Endpoint, phone: str
    ) -> Response:
        if name == "create" and self.world.settings.strict_pace:
            self._mind_the_pace(dict(request.state.pairs))
        fault = self.world.faults.take("twilio", name, ANSWERS, phone=phone)
        if fault and (early := await wire.happen(fault, request)):
            return early
        if fault and fault.status:
            answer = _refusal(refusal(fault))
            if fault.status == TOO_MANY:
                answer.headers["Retry-After"] = str(fault.retry_after)
            return answer
        lost = request.state.lost = fault.fault if fault else ""
        done = await work(request)
        if lost == SILENCE:
            await wire.disconnected(request.receive)
        return wire.HangUp() if lost in {"lost_answer", SILENCE} else done

    def _mind_the_pace(self, params: dict[str, str]) -> None:
        on_whatsapp = params.get("To", "").startswith("whatsapp:")
        channel = "whatsapp" if on_whatsapp else "sms"
        if self.world.strict.twilio(channel, params.get("Body", "")):
            raise TwilioError(429, 20429, "Too Many Requests")

    def _authenticate(self, request: Request) -> None:
        settings = self.world.settings
        pair = f"{settings.account_sid}:{settings.auth_token}".encode()
        expected = "Basic " + base64.b64encode(pair).decode()
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise TwilioError(401, 20003, "Authenticate")
        if request.path_params["account"] != settings.account_sid:
            raise TwilioError(
                404, 20404, f"The requested resource {request.url.path} was not found"
            )

    async def create(self, request: Request) -> Response:
        """Send a message."""
        urls = [value for name, value in request.state.pairs if name == "MediaUrl"]
        message = self.messages.create(dict(request.state.pairs), urls)
        phone = self.world.phones.of_number(
            "whatsapp" if message.to.startswith("whatsapp:") else "sms",
            message.to.removeprefix("whatsapp:"),
        )
        self.world.books.accepted(
            "twilio",
            "create",
            phone.name if phone else "",
            message.sid,
            message.body,
            answer=request.state.lost,
            buttons=[],
        )
        self.world.ring()
        shown = message.public(self.world.settings.account_sid)
        fresh = {
            "status": "queued",
            "date_sent": None,
            "error_code": None,
            "error_message": None,
        }
        return wire.Json(shown | fresh, 201)

    async def list(self, request: Request) -> Response:
        """Messages, newest first, filtered and in pages."""
        query = request.query_params
        found = [
            message
            for message in reversed(self.messages.stored.values())
            if query.get("To", message.to) == message.to
            and query.get("From", message.sender) == message.sender
            and _sent_as_asked(message, dict(query))
        ]
        size = min(max(int(query.get("PageSize", PAGE)), 1), PAGE_LIMIT)
        page = int(query.get("Page", 0))
        start = page * size
        account = self.world.settings.account_sid
        shown = [message.public(account) for message in found[start : start + size]]

        def uri(number: int) -> str:
            kept = dict(query) | {"PageSize": str(size), "Page": str(number)}
            if number > page:
                kept["PageToken"] = "PA" + (shown[-1]["sid"] if shown else "")
            return f"{request.url.path}?{urlencode(kept)}"

        return wire.Json(
            {
                "messages": shown,
                "page": page,
                "page_size": size,
                "start": start,
                "end": max(start + len(shown) - 1, 0),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "previous_page_uri": uri(page - 1) if page else None,
                "next_page_uri": uri(page + 1) if start + size < len(found) else None,
            }
        )

    async def numbers(self, request: Request) -> Response:
        """Our SMS number, and where its messages go."""
        settings = self.world.settings
        ours = request.query_params.get("PhoneNumber", settings.sms_number)
        shown = {
            "sid": "PN" + "5" * 32,
            "account_sid": settings.account_sid,
            "phone_number": settings.sms_number,
            "sms_url": settings.sms_webhook,
            "sms_method": settings.sms_method,
            "sms_fallback_url": settings.sms_fallback,
            "sms_fallback_method": settings.sms_fallback_method,
            "sms_application_sid": settings.sms_application_sid,
        }
        listed = [shown] if ours == settings.sms_number else []
        return wire.Json(
            {"incoming_phone_numbers": listed, "page": 0, "page_size": PAGE}
        )

    async def fetch(self, request: Request) -> Response:
        """One message."""
        message = self.messages.fetch(request.path_params["sid"])
        return wire.Json(message.public(self.world.settings.account_sid))

    async def update(self, request: Request) -> Response:
        """Redact: an empty ``Body`` is all that a message can be changed to."""
        message = self.messages.fetch(request.path_params["sid"])
        params = dict(request.state.pairs)
        if params.get("Body"):
            raise TwilioError(400, 20001, "Body can only be updated to an empty string")
        if "Body" in params:
            message.body = ""
        return wire.Json(message.public(self.world.settings.account_sid))

    async def delete(self, request: Request) -> Response:
        """Remove a message and its media."""
        message = self.messages.fetch(request.path_params["sid"])
        del self.messages.stored[message.sid]
        self.world.books.erased(message.sid)
        self.world.ring()
        return Response(status_code=204)


def _sent_as_asked(message: Message, query: dict[str, str]) -> bool:
    """Give the filters ``DateSent``, ``DateSent<`` and ``DateSent>`` (days or moments)."""
    sent = message.sent if message.sent is not None else message.created
    exact, before, after = (
        query.get(name) for name in ("DateSent", "DateSent<", "DateSent>")
    )
    return (
        (not exact or moment(sent).date() == _day(exact).date())
        and (
            not before
            or sent <= _day(before).timestamp() + (_DAY if _is_day(before) else 0)
        )
        and (not after or sent >= _day(after).timestamp())
    )


_DAY = 86_400


def _is_day(text: str) -> bool:
    return len(text) == len("2026-01-31")


def _day(text: str) -> datetime:
    """Give a day or a moment of a filter, in UTC."""
    try:
        if _is_day(text):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise TwilioError(400, 20001, "DateSent is not a date") from None


def _refusal(error: TwilioError) -> Response:
    """Give an error in Twilio's form."""
    content = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    headers = (
        {"WWW-Authenticate": 'Basic realm="Twilio API"'}
        if error.status == UNAUTHORIZED
        else {}
    )
    return wire.Json(content, error.status, headers)
