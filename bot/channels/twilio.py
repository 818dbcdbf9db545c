"""Twilio, shared by SMS and WhatsApp: forms in, messages out, signatures, statuses.

Requests go through our own small transport under twilio's interface: real timeouts, one
HTTP stack, ``api_base_url`` in one place, and ``Retry-After`` in sight.
"""

import tomllib
from collections.abc import Container, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from http import HTTPStatus
from importlib.resources import files
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import httpx
from twilio.base.exceptions import (  # type: ignore[import-untyped] # no types there
    TwilioException,
)
from twilio.http.response import (  # type: ignore[import-untyped] # no types there
    Response,
)
from twilio.rest import Client  # type: ignore[import-untyped] # no types there

from bot.channels import base
from bot.channels.download import Source
from bot.channels.limits import Limits
from storage.letters.letter import Letter
from storage.words import Channel

TIMEOUT = 20.0
MEDIA_HOSTS = ("twilio.com", "twiliocdn.com", "s3-external-1.amazonaws.com")
LOOK_BACK = 50
OUR_CLOCKS = timedelta(seconds=30)
#: No status follows any more that we would wait for.
ENDED = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})
TABLE: Final[dict[str, list[int]]] = tomllib.loads(
    files(__package__).joinpath("twilio_errors.toml").read_text("utf-8")
)
POLICIES: Final[Mapping[str, type[base.SendError]]] = {
    "later": base.Later,
    "busy": base.Busy,
    "unreachable": base.Unreachable,
    "misconfigured": base.Misconfigured,
    "window": base.WindowClosed,
    "template": base.TemplateRefused,
}
#: What twilio raises for an answer that is no answer of Twilio's.
_STRANGE = (
    *(AttributeError, LookupError, OverflowError),
    *(RecursionError, TypeError, ValueError),
)
_CODES: Final = {
    code: POLICIES[word] for word, codes in TABLE.items() for code in codes
}


def policy(code: int) -> base.SendError:
    """Return what an error code of Twilio means."""
    return _CODES.get(code, base.Never)(f"twilio.{code}")


class Transport:
    """What twilio's ``Client`` takes as its ``http_client``."""

    is_async = True

    def __init__(self, api_base_url: str) -> None:
        self.base = base.checked_address(api_base_url)
        outside = not base.is_loopback(self.base)
        self.web = httpx.AsyncClient(
            timeout=TIMEOUT, trust_env=outside, verify=base.tls(trust_env=outside)
        )

    async def request(
        self,
        method: str,
        uri: str,
        *,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_unused: object,
    ) -> Response:
        """Send one request to ``api_base_url``; raise a ``SendError`` unless 2xx.

        Addresses of next pages come from an answer: none may lead our login elsewhere.
        """
        with base.told_apart("twilio"):
            target = urlsplit(uri)._replace(scheme="", netloc="").geturl()
            if not target.startswith("/"):
                raise base.Later("twilio.address")
            answer = await self.web.request(
                method,
                f"{self.base}{target}",
                params=params,
                data=data,
                headers=headers,
                auth=auth,
            )
        if not answer.is_success:
            raise _refusal(answer)
        return Response(answer.status_code, answer.text, answer.headers)


def _refusal(answer: httpx.Response) -> base.SendError:
    status = answer.status_code
    try:
        code = answer.json()["code"]
    except _STRANGE:
        code = 0
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        known = policy(code) if isinstance(code, int) and code in _CODES else None
        if isinstance(known, base.Misconfigured):
            return known  # the day's messages are used up: no pause of a second helps
        return base.Busy("twilio.429", base.retry_after(answer.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return base.Doubtful(f"twilio.{status}", base.retry_after(answer.headers))
    if status == HTTPStatus.UNAUTHORIZED:
        return base.Misconfigured("twilio.401")
    return policy(code if isinstance(code, int) and code else status)


class Twilio:
    """The way out that SMS and WhatsApp share; they add ``parse`` and what is sent.

    ``sender`` is our number in E.164, without prefix. ``status_callback`` is the public
    address of our status webhook, empty for none.
    """

    name: ClassVar[Channel]
    limits: Limits
    prefix: ClassVar[str] = ""
    look_alikes: ClassVar[Mapping[int, str]] = {}

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        api_base_url: str = "https://api.twilio.com",
        status_callback: str = "",
    ) -> None:
        self.sender = f"{self.prefix}{sender}"
        self.status_callback = status_callback
        self._transport = Transport(api_base_url)
        self._client = Client(account_sid, auth_token, http_client=self._transport)
        self._source = Source(
            self._transport.web,
            (self._transport.base, "https://api.twilio.com"),
            self.limits.file_bytes,
            hosts=MEDIA_HOSTS,
            login=(account_sid, auth_token),
        )

    async def _create(self, letter: Letter, **content: str) -> base.Sent:
        if self.status_callback:
            content["status_callback"] = self.status_callback
        try:
            message = await self._client.messages.create_async(
                letter.to, from_=self.sender, **content
            )
            return base.Sent(str(message.sid), final=not self.status_callback)
        except _STRANGE:
            # A 2xx whose body cannot be read: most probably sent.
            raise base.Doubtful("twilio.answer") from None

    def text_of(self, letter: Letter) -> str:
        """Return the text as this channel sends it."""
        return base.clean(letter.text).translate(self.look_alikes)

    async def find(
        self, letter: Letter, since: datetime, others: Container[str] = ()
    ) -> base.Sent | None:
        """Look through our recent messages to this person for the same text."""
        try:
            messages = await self._client.messages.list_async(
                to=letter.to, from_=self.sender, limit=LOOK_BACK
            )
        except (*_STRANGE, TwilioException):
            raise base.Later("twilio.answer") from None
        text = self.text_of(letter)
        for message in messages:
            made = message.date_created
            recent = made and made >= since - OUR_CLOCKS
            if message.body == text and recent and message.sid not in others:
                ended = not self.status_callback or message.status in ENDED
                return base.Sent(str(message.sid), final=ended)
        return None

    def fetch(self, reference: str) -> AbstractAsyncContextManager[base.Download]:
        """Open the file at a media URL."""
        return self._source.open(reference)

    async def erase(self, provider_id: str) -> None:
        """Delete a message and its media at Twilio; one that is gone is done."""
        try:
            await self._client.messages(provider_id).delete_async()
        except base.SendError as error:
            if error.code not in {"twilio.404", "twilio.20404"}:
                raise

    async def start(self) -> None:
        """Do nothing: Twilio needs no greeting."""

    async def stop(self) -> None:
        """Close connections."""
        await self._transport.web.aclose()
