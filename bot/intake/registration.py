"""Tells Telegram where our webhook is, and looks that it stays so.

At each start it is registered anew, for a changed secret cannot be read back. Then one
process looks every few minutes: somebody else's address, other updates than ours or none
at all are mended, and nothing that waits is ever dropped.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from telegram import Bot, WebhookInfo

from bot.settings.sections import Settings
from bot.telemetry import logs
from bot.telemetry.metrics import Level, Metrics
from bot.writer import StoreUnavailable, Writer
from storage.jobs import leases

NAME = "telegram.webhook"
PATH = "/webhooks/telegram"
UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
LOOK_SECONDS = 300
"""Between two looks; each comes up to a fifth sooner or later than that."""
RECENT = timedelta(minutes=10)
"""An error of Telegram's with us that is younger is told to the watch."""
QUIET = timedelta(days=1)
_STEP = timedelta(minutes=10)
_CONNECTIONS = 40
_FIRST, _LONGEST = 2.0, 300.0

AWAY, REPLACED, FAILING = "telegram.away", "webhook.replaced", "webhook.failing"
Tell = Callable[[str, str], Awaitable[object]]


class Registration:
    """Registers the webhook and mends it; a provider that is down holds up nothing.

    ``holder`` is this process's name for the lease; ``tell`` takes the watch's name and
    what is wrong ("" when all is well).
    """

    def __init__(
        self,
        bot: Bot,
        settings: Settings,
        *,
        writer: Writer,
        metrics: Metrics,
        tell: Tell,
        clock: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._bot = bot
        self._writer = writer
        self._metrics = metrics
        self._tell = tell
        self._clock = clock
        self._holder = holder
        self._url = f"{settings.server.public_url}{PATH}"
        self._secret = settings.telegram.webhook_secret.get_secret_value()
        self._pending = (0, 0)
        self._failed: datetime | None = None
        metrics.watch(Level.TELEGRAM_PENDING, lambda: min(self._pending))
        metrics.watch(Level.TELEGRAM_FAILED, self._failed_since)

    async def run(self) -> None:
        """Register, as often as it takes; then look every few minutes until cancelled."""
        rest = _FIRST
        while not await self._registered():
            await asyncio.sleep(rest)
            rest = min(_LONGEST, rest * 2)
        try:
            while True:
                await asyncio.sleep(
                    LOOK_SECONDS * (0.8 + secrets.randbelow(401) / 1000)
                )
                await self.look()
        finally:
            await asyncio.shield(self._let_go())

    async def look(self) -> None:
        """Look once, if this process holds the lease, and mend what is not ours."""
        try:
            if not await self._leads():
                self._pending, self._failed = (0, 0), None
                return
        except StoreUnavailable:
            return
        try:
            told = await self._bot.get_webhook_info()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logs.failure("registration.failed", error)
            await self._tell(NAME, AWAY)
            return
        await self._judge(told)

    async def _judge(self, told: WebhookInfo) -> None:
        if told.url != self._url or set(told.allowed_updates) != set(UPDATES):
            logs.event("registration.replaced", level="warning")
            self._metrics.mended()
            await self._registered()
            await self._tell(NAME, REPLACED)
            return
        self._pending = (self._pending[1], told.pending_update_count)
        self._failed = told.last_error_date
        recent = self._failed is not None and self._clock() - self._failed < RECENT
        await self._tell(NAME, FAILING if recent else "")

    def _failed_since(self) -> float:
        """Return since when Telegram has not failed to call us, rounded up; 0: a day or more.

        No finer: it fails when somebody writes.
        """
        if self._failed is None:
            return 0.0
        age = max(timedelta(), self._clock() - self._failed)
        return ((age // _STEP + 1) * _STEP).total_seconds() if age < QUIET else 0.0

    async def _registered(self) -> bool:
        try:
            await self._bot.set_webhook(
                self._url,
                secret_token=self._secret,
                allowed_updates=UPDATES,
                max_connections=_CONNECTIONS,
                drop_pending_updates=False,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logs.failure("registration.failed", error)
            return False
        logs.event("registration.done", state="ok")
        return True

    async def _leads(self) -> bool:
        return await self._writer.run(
            leases.hold,
            NAME,
            self._holder,
            seconds=2 * LOOK_SECONDS,
            now=self._clock(),
        )

    async def _let_go(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            await self._writer.run(leases.let_go, NAME, self._holder, now=self._clock())
