"""Tells Telegram where our webhook is, in the background, until it knows."""

import asyncio

from telegram import Bot

from bot import logs
from bot.settings import Settings

PATH = "/webhooks/telegram"
UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_CONNECTIONS = 40
_FIRST, _LONGEST = 2.0, 300.0


class Registration:
    """Registers the webhook once per start; a provider that is down holds up nothing."""

    def __init__(self, bot: Bot, settings: Settings) -> None:
        self._bot = bot
        self._settings = settings

    async def run(self) -> None:
        """Try until Telegram took it."""
        rest = _FIRST
        while not await self._registered():
            await asyncio.sleep(rest)
            rest = min(_LONGEST, rest * 2)

    async def _registered(self) -> bool:
        url = f"{self._settings.server.public_url}{PATH}"
        secret = self._settings.telegram.webhook_secret.get_secret_value()
        try:
            await self._bot.set_webhook(
                url,
                secret_token=secret,
                allowed_updates=UPDATES,
                max_connections=_CONNECTIONS,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logs.failure("registration.failed", error)
            return False
        logs.event("registration.done", state="ok")
        return True
