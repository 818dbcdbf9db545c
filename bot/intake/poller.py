"""Polling: raw updates from Telegram, for a server without a public address.

Never ``Bot.get_updates`` (one strange update raises for the whole batch) and never
``Updater`` (it confirms from memory): the offset passes no update that is neither durable
nor in quarantine, and only the holder of the lease polls.

Telegram hands over the first 100 updates from the offset on. One that cannot be stored
holds the offset, and after a hundred more nobody would be heard: so it goes into
quarantine after ``TRIES`` tries in vain while the store could be written.

Long because offset, lease and the chats that wait hang together: none moves alone.
"""

import asyncio
import contextlib
import json
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telegram import Bot
from telegram.error import Conflict, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from bot.channels.telegram import ALLOWED_UPDATES, chat_of
from bot.channels.telegram_sending import seconds
from bot.telemetry import logs
from bot.telemetry.heartbeats import Beat, unheard
from bot.writer import StoreUnavailable, Writer
from storage.jobs import leases

NAME = "telegram.poller"
CONFLICT, AWAY = "telegram.conflict", "telegram.away"
TOLD_AGAIN = 60.0
LEASE_SECONDS = 60
LONG_POLL = 25
#: How long a round waits for chats that take longer than others.
OTHERS = 0.25
BATCH = 100
FIRST_REST, LONGEST_REST = 0.5, 20.0
#: How often to ask for more while somebody's update cannot be stored, and how long that
#: person's next try may be put off.
HELD_REST, LONGEST_HOLD = 1.0, 60.0
#: Tries in vain, each with a store that could be written just after, before an update
#: goes into quarantine: with the rests between them about a minute.
TRIES = 8
#: How long to wait for the lease when another process holds it.
LEASE_REST = 5.0

Receive = Callable[[Mapping[str, Any]], Awaitable[object]]
Tell = Callable[[str, str], Awaitable[object]]
warnings.filterwarnings(
    "ignore", message="Please use 'Bot.getUpdates'", category=PTBUserWarning
)


@dataclass(slots=True)
class _Chat:
    """What of one chat is not durable yet, in order, and when to try it again.

    ``task`` hands its updates over; it may take longer than a round.
    """

    updates: list[Mapping[str, Any]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    tries: int = 0
    rest: float = 0.0
    again: float = 0.0


class Poller:
    """Fetches updates and hands each one to ``receive``.

    ``receive`` returns when the update is durable, in quarantine or of no interest; it
    raises when the update could not be taken: then it is offered again, later and later,
    and holds up nobody but its own chat, until ``give_up`` puts it into quarantine.
    ``holder`` is this process's name for the lease; ``tell`` takes the watch's name and
    what is wrong ("" when all is well again).
    """

    def __init__(
        self,
        bot: Bot,
        writer: Writer,
        receive: Receive,
        *,
        give_up: Receive,
        tell: Tell,
        clock: Callable[[], datetime],
        holder: str,
        long_poll: int = LONG_POLL,
    ) -> None:
        self._bot = bot
        self._writer = writer
        self._receive = receive
        self._give_up = give_up
        self._tell = tell
        self._clock = clock
        self._holder = holder
        self._long_poll = long_poll
        self._rest = FIRST_REST
        self._offset: int | None = None
        self._chats: dict[int, _Chat] = {}
        self._durable: set[str] = set()
        self._webhook_gone = False
        self._wrong: str | None = None
        self._told = 0.0
        self.beat: Beat = unheard

    async def run(self) -> None:
        """Poll until cancelled; nothing is lost by that, updates are only fetched again."""
        try:
            while True:
                self.beat()
                rest = await self._round()
                await asyncio.sleep(rest)
        finally:
            self._begin_anew()
            await asyncio.shield(self._let_go())

    async def _round(self) -> float:
        """Poll once; return the seconds to rest before the next time."""
        try:
            if not await self._hold():
                self._begin_anew()
                return LEASE_REST
            if self._offset is None:
                self._offset = await self._writer.run(leases.cursor, NAME)
            if not self._webhook_gone:
                await self._bot.delete_webhook(drop_pending_updates=False)
                self._webhook_gone = True
            fetched = await self._fetch(self._offset)
            await self._says("")
            await self._take(fetched)
        except Conflict as error:
            return await self._beside_another(error)
        except RetryAfter as error:
            return seconds(error) or self._longer()
        except (TelegramError, StoreUnavailable) as error:
            if isinstance(error, TelegramError) and self._rest == LONGEST_REST:
                await self._says(AWAY)
            return self._longer()
        except Exception as error:  # noqa: BLE001 - the same batch must not come back at once
            logs.failure("poller.failed", error)
            return self._longer()
        self._rest = FIRST_REST
        return HELD_REST if any(not one.task for one in self._chats.values()) else 0.0

    async def _beside_another(self, error: Conflict) -> float:
        """Tell that somebody else has our updates: a webhook, removed, or a poller."""
        webhook = "webhook" in error.message
        self._webhook_gone = self._webhook_gone and not webhook
        if self._wrong != CONFLICT:
            state = "webhook" if webhook else "poller"
            logs.event("poller.conflict", level="error", state=state)
        await self._says(CONFLICT)
        return self._longer()

    async def _says(self, wrong: str) -> None:
        """Tell the watch what is news, and once a minute that nothing is."""
        now = asyncio.get_running_loop().time()
        if wrong != self._wrong or now >= self._told + TOLD_AGAIN:
            await self._tell(NAME, wrong)
            self._wrong, self._told = wrong, now

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

    async def _take(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Hand over what is new or due: chats at once, each in order; move the offset.

        Nobody waits long for another chat, whose code may be tried.
        """
        known = self._durable | self._waiting()
        fetched = {_name(update): update for update in updates}
        for name, update in fetched.items():
            if name not in known:
                self._chats.setdefault(chat_of(update), _Chat()).updates.append(update)
        now = asyncio.get_running_loop().time()
        due = [one for one in self._chats.values() if not one.task and one.again <= now]
        for chat in due:
            chat.task = asyncio.create_task(self._hand_over(chat))
        refused = [chat for chat in await self._handed_over() if chat.updates]
        self._chats = {key: chat for key, chat in self._chats.items() if chat.updates}
        held = self._waiting()
        self._durable = fetched.keys() - held if held else set()
        if refused:
            logs.event("poller.held", level="error", count=len(held))
        await self._move(fetched, held)

    async def _handed_over(self) -> list[_Chat]:
        """Return the chats that are done with what they had, after ``OTHERS`` at the latest."""
        busy = [chat for chat in self._chats.values() if chat.task]
        tasks = [chat.task for chat in busy if chat.task]
        done = (await asyncio.wait(tasks, timeout=OTHERS))[0] if tasks else set()
        ended = [chat for chat in busy if chat.task in done]
        for chat in ended:
            chat.task = None
        return ended

    async def _hand_over(self, chat: _Chat) -> None:
        """Hand over one chat's updates up to the first that cannot be taken."""
        while chat.updates:
            try:
                await self._receive(chat.updates[0])
            except Exception as error:  # noqa: BLE001 - one chat's trouble is not the others'
                if not isinstance(error, StoreUnavailable):
                    logs.failure("poller.failed", error)
                if not await self._is_given_up(chat):
                    chat.rest = min(LONGEST_HOLD, chat.rest * 2 or FIRST_REST)
                    chat.again = asyncio.get_running_loop().time() + chat.rest
                    return
            del chat.updates[0]
            chat.rest, chat.tries = 0.0, 0

    async def _is_given_up(self, chat: _Chat) -> bool:
        """Give up the oldest update of a chat after its last try; False while it waits.

        A try counts only when the store can be written right after it: while the store
        is away for everybody, nobody's message is given up.
        """
        with contextlib.suppress(StoreUnavailable):
            if await self._hold():
                chat.tries += 1
        if chat.tries < TRIES:
            return False
        try:
            await self._give_up(chat.updates[0])
        except Exception as error:  # noqa: BLE001 - neither stored nor kept: it still waits
            if not isinstance(error, StoreUnavailable):
                logs.failure("poller.failed", error)
            return False
        logs.event("poller.given_up", level="error")
        return True

    async def _move(
        self, fetched: Mapping[str, Mapping[str, Any]], held: set[str]
    ) -> None:
        """Move the offset up to the oldest update that is not durable.

        Nothing fetched: all before is confirmed, and Telegram may choose lower numbers
        after a quiet week, so the offset is forgotten. What Telegram itself dropped (after
        a day) is still tried, but holds nobody up any more.
        """
        numbers = [n for one in fetched.values() if (n := _number(one)) is not None]
        waiting = [_number(fetched[name]) for name in held & fetched.keys()]
        oldest = [number for number in waiting if number is not None]
        if fetched and (not numbers or len(oldest) < len(waiting)):
            raise TelegramError("An update that would hold the offset has no number.")
        following = min(oldest, default=max(numbers, default=-1) + 1)
        if following != self._offset:
            moved = await self._writer.run(
                leases.move_cursor, NAME, self._holder, following
            )
            if not moved:
                self._begin_anew()
                return
        self._offset = following

    def _waiting(self) -> set[str]:
        return {_name(one) for chat in self._chats.values() for one in chat.updates}

    def _begin_anew(self) -> None:
        """Forget everything: another process may have gone on."""
        for chat in self._chats.values():
            if chat.task:
                chat.task.cancel()
        self._offset = None
        self._chats, self._durable = {}, set()

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


def _number(update: Mapping[str, Any]) -> int | None:
    number = update.get("update_id")
    return number if type(number) is int else None


def _name(update: Mapping[str, Any]) -> str:
    """Return what an update is known by; Telegram numbers them, but trust nothing."""
    number = _number(update)
    return json.dumps(update, sort_keys=True) if number is None else str(number)
