"""Polling: raw updates from Telegram, for a server without a public address.

Never ``Bot.get_updates`` (one strange update raises for the whole batch) and never
``Updater`` (it confirms from memory): the offset moves when every update of a batch is
durable or in quarantine, and only the holder of the lease polls.
"""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from telegram import Bot
from telegram.error import Conflict, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from bot.channels.telegram import ALLOWED_UPDATES, chat_of
from bot.channels.telegram_sending import seconds
from bot.writer import StoreUnavailable, Writer
from storage import leases

NAME = "telegram.poller"
LEASE_SECONDS = 60
LONG_POLL = 25
BATCH = 100
FIRST_REST, LONGEST_REST = 0.5, 20.0
#: How long to wait for the lease when another process holds it.
LEASE_REST = 5.0

Receive = Callable[[Mapping[str, Any]], Awaitable[object]]
warnings.filterwarnings(
    "ignore", message="Please use 'Bot.getUpdates'", category=PTBUserWarning
)


class Poller:
    """Fetches updates and hands each one to ``receive``.

    ``receive`` returns when the update is durable, in quarantine or of no interest; it
    raises StoreUnavailable when the store could not take it: then it is offered again.
    ``holder`` is this process's name for the lease.
    """

    def __init__(
        self,
        bot: Bot,
        writer: Writer,
        receive: Receive,
        *,
        clock: Callable[[], datetime],
        holder: str,
        long_poll: int = LONG_POLL,
    ) -> None:
        self._bot = bot
        self._writer = writer
        self._receive = receive
        self._clock = clock
        self._holder = holder
        self._long_poll = long_poll
        self._rest = FIRST_REST
        self._offset: int | None = None
        self._webhook_gone = False

    async def run(self) -> None:
        """Poll until cancelled; nothing is lost by that, updates are only fetched again."""
        try:
            while True:
                rest = await self._round()
                await asyncio.sleep(rest)
        finally:
            await asyncio.shield(self._let_go())

    async def _round(self) -> float:
        """Poll once; return the seconds to rest before the next time."""
        try:
            if not await self._hold():
                self._offset = None
                return LEASE_REST
            if self._offset is None:
                self._offset = await self._writer.run(leases.cursor, NAME)
            if not self._webhook_gone:
                await self._bot.delete_webhook(drop_pending_updates=False)
                self._webhook_gone = True
            await self._take(await self._fetch(self._offset))
        except Conflict:
            self._webhook_gone = False
            return self._longer()
        except RetryAfter as error:
            return seconds(error) or self._longer()
        except (TelegramError, StoreUnavailable):
            return self._longer()
        self._rest = FIRST_REST
        return 0.0

    async def _fetch(self, offset: int) -> list[dict[str, Any]]:
        answer = await self._bot.do_api_request(
            "getUpdates",
            {
                "offset": offset or None,
                "limit": BATCH,
                "timeout": self._long_poll,
                "allowed_updates": list(ALLOWED_UPDATES),
            },
            read_timeout=self._long_poll + 10,
        )
        if not isinstance(answer, list):
            raise TelegramError("The answer to getUpdates is no list.")
        return [one if isinstance(one, dict) else {"update": one} for one in answer]

    async def _take(self, updates: list[dict[str, Any]]) -> None:
        """Hand over a batch: chats at once, each chat in order; then move the offset."""
        if not updates:
            # All before is confirmed. Telegram may choose lower ids after a quiet week.
            self._offset = 0
            return
        chats: dict[int, list[dict[str, Any]]] = {}
        for update in updates:
            chats.setdefault(chat_of(update), []).append(update)
        waiting = list(chats.values())
        while waiting:
            left = await asyncio.gather(*(self._hand_over(chat) for chat in waiting))
            waiting = [chat for chat in left if chat]
            if waiting:
                await asyncio.sleep(self._longer())
                if not await self._hold():
                    self._offset = None
                    return
        await self._move(updates)

    async def _hand_over(self, chat: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return what of one chat could not be stored; order is kept."""
        for index, update in enumerate(chat):
            try:
                await self._receive(update)
            except StoreUnavailable:
                return chat[index:]
        return []

    async def _move(self, updates: list[dict[str, Any]]) -> None:
        numbers = [
            one["update_id"] for one in updates if type(one.get("update_id")) is int
        ]
        if not numbers:
            raise TelegramError("No update of the batch has a number.")
        following = max(numbers) + 1
        moved = await self._writer.run(
            leases.move_cursor, NAME, self._holder, following
        )
        self._offset = following if moved else None

    async def _hold(self) -> bool:
        return await self._writer.run(
            leases.hold, NAME, self._holder, seconds=LEASE_SECONDS, now=self._clock()
        )

    async def _let_go(self) -> None:
        try:
            await self._writer.run(leases.let_go, NAME, self._holder, now=self._clock())
        except StoreUnavailable:
            return

    def _longer(self) -> float:
        rest, self._rest = self._rest, min(LONGEST_REST, self._rest * 2)
        return rest
