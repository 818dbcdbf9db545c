"""Telegram: updates in, letters out. What is parsed here goes on to ``handlers/inbox.py``.

Updates are read as raw JSON: one strange update must never hold back its neighbours.
python-telegram-bot sends; it works without ``initialize``, so nothing waits for getMe.
"""

import asyncio
import hmac
import os
from collections.abc import Container, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.channels import base, limits, telegram_content, telegram_sending
from bot.channels.download import Source
from bot.channels.local_files import opener
from handlers.messages import Incoming, Kind
from storage.letters.letter import Letter
from storage.words import Channel

# Without this switch PTB warns at every RetryAfter that its seconds will be a timedelta.
os.environ.setdefault("PTB_TIMEDELTA", "1")

LIMITS = limits.TELEGRAM
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
WIDEST_ID = 52
MISSHAPEN = (
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


def verify(header: str | None, secret: str) -> bool:
    """Compare the secret token of a webhook request in constant time."""
    given = (header or "").encode("utf-8", "replace")
    return bool(secret) and hmac.compare_digest(given, secret.encode())


def chat_of(raw: Mapping[str, Any]) -> int:
    """Return the chat whose order an update belongs to; 0 where none can be told."""
    try:
        for name in ("message", "edited_message", "my_chat_member"):
            if name in raw:
                return _number(raw[name]["chat"]["id"])
        return _number(raw["callback_query"]["from"]["id"])
    except (KeyError, TypeError, base.Unparseable):
        return 0


class Telegram:
    """The Telegram adapter.

    ``api_base_url`` and ``file_base_url`` end before the token, as in
    ``https://api.telegram.org/bot``; an empty ``file_base_url`` is made from the first.
    ``local_files`` is the folder of a Bot API server of our own, which knows no limit.
    """

    name = Channel.TELEGRAM
    limits = LIMITS

    def __init__(
        self,
        token: str,
        *,
        api_base_url: str,
        file_base_url: str = "",
        local_files: str = "",
    ) -> None:
        api = base.checked_address(api_base_url)
        files = file_base_url or f"{api.removesuffix('/bot')}/file/bot"
        outside = not base.is_loopback(api)
        tls = base.tls(trust_env=outside)
        self._requests = tuple(
            HTTPXRequest(
                connection_pool_size=size,
                read_timeout=20,
                pool_timeout=10,
                httpx_kwargs={"trust_env": outside, "verify": tls},
            )
            for size in (2, 64)
        )
        polling, calls = self._requests
        self.bot = Bot(
            token, api, base.checked_address(files), calls, get_updates_request=polling
        )
        self._downloads = httpx.AsyncClient(timeout=20, trust_env=outside, verify=tls)
        if local_files:
            self.limits = limits.TELEGRAM_LOCAL
        source = Source(self._downloads, (files,), LIMITS.file_bytes)
        self._open = opener(source, Path(local_files) if local_files else None)
        number = token.partition(":")[0]
        self.me = telegram_content.Me(int(number) if number.isdecimal() else 0)
        self._learning: asyncio.Task[None] | None = None

    def parse(self, raw: Mapping[str, Any], *, now: datetime) -> tuple[Incoming, ...]:
        """Read one update; see ``base.Channel``."""
        try:
            order = _number(raw["update_id"])
            match raw:
                case {"message": message}:
                    return self._message(message, order, now)
                case {"edited_message": message}:
                    return self._message(message, order, now, edit=True)
                case {"callback_query": query}:
                    return (_press(query, order, now),)
                case {"my_chat_member": change}:
                    return _membership(change, order, now)
                case _:
                    return ()
        except MISSHAPEN:
            raise base.Unparseable("telegram.shape") from None

    def _message(
        self, raw: dict[str, Any], order: int, now: datetime, *, edit: bool = False
    ) -> tuple[Incoming, ...]:
        handle = str(_number(raw["chat"]["id"]))
        received = _moment(raw.get("edit_date", raw.get("date")), now)
        if raw["chat"]["type"] != "private":
            if edit or not self.me.is_addressed(raw):
                return ()
            group = Incoming(self.name, handle, str(order), received, Kind.GROUP)
            return (group,)
        content = telegram_content.read(raw, most=self.limits.file_bytes)
        if content is None or raw["from"].get("is_bot"):
            return ()
        return (
            Incoming(
                channel=self.name,
                handle=handle,
                provider_id=str(order),
                received=received,
                kind=content.edited if edit else content.kind,
                text=content.text,
                media=content.media,
                order=order,
                message_id=_number(raw["message_id"]),
                group=str(raw.get("media_group_id", "")),
                language_hint=_language(raw["from"]),
                quotes=_quoted(raw),
                marks=telegram_content.marks(raw),
                live=content.live,
            ),
        )

    async def send(self, letter: Letter) -> base.Sent:
        """Send one letter; see ``base.Sender``."""
        return await telegram_sending.send(self.bot, letter)

    async def find(
        self, letter: Letter, since: datetime, others: Container[str] = ()
    ) -> None:
        """Return None: Telegram cannot be asked what it took."""

    def fetch(self, reference: str) -> AbstractAsyncContextManager[base.Download]:
        """Open the file with this file id."""
        return telegram_sending.open_file(self.bot, self._open, reference)

    async def erase(self, provider_id: str) -> None:
        """Do nothing: a chat is cleaned by ``DELETE`` letters, while it is known."""

    async def start(self) -> None:
        """Learn the bot's name in the background, as often as it takes."""
        self._learning = asyncio.create_task(self._learn())

    async def stop(self) -> None:
        """Close connections."""
        if self._learning:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        for request in self._requests:
            await request.shutdown()
        await self._downloads.aclose()

    async def _learn(self) -> None:
        wait = 1.0
        while not self.me.username:
            try:
                me = await self.bot.get_me()
                self.me = telegram_content.Me(me.id, me.username or "")
            except (TelegramError, KeyError, TypeError):
                await asyncio.sleep(wait)
                wait = min(wait * 2, 300)


def _press(raw: dict[str, Any], order: int, now: datetime) -> Incoming:
    message = raw.get("message") or {}
    return Incoming(
        channel=Channel.TELEGRAM,
        handle=str(_number(raw["from"]["id"])),
        provider_id=str(order),
        received=now,
        kind=Kind.PRESS,
        press=base.clean(raw.get("data", "")),
        press_id=base.clean(raw["id"]),
        order=order,
        message_id=_number(message.get("message_id", 0)),
        language_hint=_language(raw["from"]),
    )


def _membership(raw: dict[str, Any], order: int, now: datetime) -> tuple[Incoming, ...]:
    if raw["chat"]["type"] != "private":
        return ()
    status = raw["new_chat_member"]["status"]
    kind = Kind.BLOCKED if status in {"kicked", "left"} else Kind.UNBLOCKED
    handle, received = str(_number(raw["chat"]["id"])), _moment(raw.get("date"), now)
    return (
        Incoming(Channel.TELEGRAM, handle, str(order), received, kind, order=order),
    )


def _quoted(raw: dict[str, Any]) -> str:
    """Return the id of the message that is answered, "" where none of this chat is told."""
    match raw.get("reply_to_message"):
        case {"message_id": int() as number} if type(number) is int:
            return str(number)
        case _:
            return ""


def _number(value: object) -> int:
    if type(value) is not int or value.bit_length() > WIDEST_ID:
        raise base.Unparseable("telegram.number")
    return value


def _moment(value: object, now: datetime) -> datetime:
    if type(value) is int and 0 < value <= now.timestamp():
        return datetime.fromtimestamp(value, UTC)
    return now


def _language(sender: dict[str, Any]) -> str:
    code = sender.get("language_code")
    return code[:35] if isinstance(code, str) and code.isascii() else ""
