"""Telegram's updates until the bot has them: the queue, polling, the webhook's setting."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.simulator.rules.faults import TWICE
from bot.simulator.world import World

MESSAGE_LIFE = 24 * 3600.0
PRESS_LIFE = 150.0
POLL_CAP = 50.0
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
LEFT_OUT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that a bot gets only when it names them."""


class ApiError(Exception):
    """An answer of the Bot API that is not ok: code, Telegram's words, parameters."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass
class Update:
    """One update that waits; ``key`` is its queue, ``expires`` a time of the world's."""

    update_id: int
    key: str
    body: dict[str, Any]
    expires: float
    copies: int = 1


@dataclass
class Webhook:
    """Where updates are pushed to, and how that went."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error_date: int = 0
    last_error_message: str = ""


@dataclass
class Updates:
    """The updates that the bot has not confirmed yet."""

    world: World
    pending: list[Update] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    webhook: Webhook | None = None
    on_change: Callable[[], None] = lambda: None
    """Called when there is more to push, or another place to push it to."""
    _poll: int = 0

    def forget(self) -> None:
        """Drop everything that waits; the webhook stays."""
        self.pending.clear()
        self.allowed = []

    def unhook(self) -> None:
        """Push nowhere any more."""
        self.webhook = None
        self.on_change()

    def add(self, key: str, body: dict[str, Any], life: float = MESSAGE_LIFE) -> int:
        """Queue an update unless its kind is not wanted; return its id (0 if dropped)."""
        kind = next(iter(body), "")
        if kind in LEFT_OUT and kind not in self.allowed:
            return 0
        if self.allowed and kind not in self.allowed:
            return 0
        update_id = self.world.count("update", 100_000_000)
        twice = self.world.faults.take("telegram", kind, TWICE)
        update = Update(
            update_id,
            key,
            {"update_id": update_id, **body},
            self.world.clock.now() + life,
            copies=2 if twice else 1,
        )
        self.pending.append(update)
        self._write_down(update, kind)
        self.on_change()
        self.world.ring()
        return update_id

    def _write_down(self, update: Update, kind: str) -> None:
        phone = self.world.phones.of_chat(update.key.removeprefix("press:"))
        about = update.body[kind]
        text = about.get("text") or about.get("caption") or about.get("data") or ""
        name = phone.name if phone else ""
        files = int(bool({"photo", "document", "video", "voice", "audio"} & set(about)))
        self.world.books.came(
            "telegram", name, update.update_id, kind, str(text), files=files
        )

    def drop_expired(self) -> None:
        """Forget what Telegram would no longer deliver."""
        now = self.world.clock.now()
        self.pending = [update for update in self.pending if update.expires > now]

    async def get(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        """``getUpdates``: wait for updates, confirm those below ``offset``."""
        offset = int(params.get("offset") or 0)
        limit = min(max(int(params.get("limit") or 100), 1), 100)
        timeout = min(max(float(params.get("timeout") or 0), 0.0), POLL_CAP)
        self._refuse_beside_webhook()
        self._allow(params)
        self._confirm(offset)
        self._poll += 1
        mine = self._poll
        self.world.ring()
        await self.world.until(
            lambda: (
                bool(self.waiting()) or self._poll != mine or self.webhook is not None
            ),
            timeout,
        )
        if self._poll != mine:
            raise ApiError(
                409,
                "Conflict: terminated by other getUpdates request; "
                "make sure that only one bot instance is running",
            )
        self._refuse_beside_webhook()
        found: list[dict[str, Any]] = []
        for update in self.waiting()[:limit]:
            found += [update.body] * update.copies
            update.copies = 1
        return found

    def _refuse_beside_webhook(self) -> None:
        if self.webhook is not None:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )

    def waiting(self) -> list[Update]:
        """Give what is not confirmed and not too old."""
        self.drop_expired()
        return self.pending

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self.pending = self.pending[offset:]
        else:
            self.world.books.confirmed(
                update.update_id for update in self.pending if update.update_id < offset
            )
            self.pending = [
                update for update in self.pending if update.update_id >= offset
            ]

    def _allow(self, params: dict[str, Any]) -> None:
        if "allowed_updates" in params:
            self.allowed = [str(name) for name in params["allowed_updates"]]

    def set_webhook(self, params: dict[str, Any]) -> str:
        """``setWebhook``: push from now on; an empty URL polls again."""
        url = str(params.get("url") or "")
        secret = str(params.get("secret_token") or "")
        if not url:
            return self.delete_webhook(params)
        if not re.fullmatch(r"https?://[^\s/?#]+\S*", url):
            raise ApiError(
                400,
                "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
            )
        if secret and not SECRET.fullmatch(secret):
            raise ApiError(
                400, "Bad Request: secret token contains unallowed characters"
            )
        connections = min(max(int(params.get("max_connections") or 40), 1), 100)
        self._allow(params)
        self._drop(params)
        self.webhook = Webhook(url, secret, connections)
        self.on_change()
        self.world.ring()
        return "Webhook was set"

    def delete_webhook(self, params: dict[str, Any]) -> str:
        """``deleteWebhook``: back to polling."""
        was_set = self.webhook is not None
        self._drop(params)
        self.unhook()
        self.world.ring()
        return "Webhook was deleted" if was_set else "Webhook is already deleted"

    def _drop(self, params: dict[str, Any]) -> None:
        if params.get("drop_pending_updates"):
            self.pending.clear()

    def info(self) -> dict[str, Any]:
        """``getWebhookInfo``."""
        self.drop_expired()
        hook = self.webhook
        found: dict[str, Any] = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if hook:
            found |= {
                "max_connections": hook.max_connections,
                "ip_address": "127.0.0.1",
            }
        if hook and hook.last_error_date:
            found |= {
                "last_error_date": hook.last_error_date,
                "last_error_message": hook.last_error_message,
            }
        if self.allowed:
            found["allowed_updates"] = self.allowed
        return found
