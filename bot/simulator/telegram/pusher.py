"""Telegram pushing updates to the bot's webhook.

Pushing keeps the order of each key: only the head of a key's queue is in flight, and
presses have keys of their own, so a press may overtake a text.
"""

import asyncio
import time
from typing import Any

import httpx

from bot.simulator import wire
from bot.simulator.rules.faults import DELIVERIES
from bot.simulator.telegram.updates import Update, Updates, Webhook

PUSH_TIMEOUT = 60.0
RETRY_CAP = 60.0
RETRY_AFTER_CAP = 3600.0


class Pusher:
    """Pushes while a webhook is set: one task for each key that has updates."""

    def __init__(self, updates: Updates) -> None:
        self.world = updates.world
        self.updates = updates
        self.pushes: list[dict[str, Any]] = []
        """How each push went: update_id, attempt, status (0 for no answer), at."""
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._hook: Webhook | None = None
        self._slots = asyncio.Semaphore(1)
        updates.on_change = self.work

    def work(self) -> None:
        """Start what there is to push; a new webhook begins anew."""
        hook = self.updates.webhook
        if hook is not self._hook:
            self._stop()
            self._hook = hook
            self._slots = asyncio.Semaphore(hook.max_connections if hook else 1)
        if hook is None:
            return
        for update in self.updates.pending:
            if update.key not in self._workers:
                work = self._push_queue(update.key)
                self._workers[update.key] = asyncio.create_task(work)

    def _stop(self) -> None:
        for task in self._workers.values():
            task.cancel()
        self._workers.clear()

    async def stop(self) -> None:
        """End every push in flight."""
        tasks = list(self._workers.values())
        self._stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _push_queue(self, key: str) -> None:
        """Push the updates of one key in order until none is left."""
        async with wire.client(PUSH_TIMEOUT) as client:
            while not self.world.closing:
                self.updates.drop_expired()
                head = next(
                    (update for update in self.updates.pending if update.key == key),
                    None,
                )
                if head is None:
                    self._workers.pop(key, None)
                    return
                await self._push_until_done(client, head)

    async def _push_until_done(self, client: httpx.AsyncClient, update: Update) -> None:
        """Push one update again and again until it is taken or too old."""
        attempt = 0
        while update in self.updates.pending and not self.world.closing:
            attempt += 1
            async with self._slots:
                taken, retry_after = await self._push(client, update, attempt)
            if taken:
                update.copies -= 1
                if not update.copies and update in self.updates.pending:
                    self.updates.pending.remove(update)
                self.world.ring()
                continue
            backoff = 0.0 if attempt == 1 else min(2.0 ** (attempt - 1), RETRY_CAP)
            await self.world.pause(max(backoff, retry_after))
            self.updates.drop_expired()

    async def _push(
        self, client: httpx.AsyncClient, update: Update, attempt: int
    ) -> tuple[bool, float]:
        """One push; whether it was taken, and how long the bot asked to wait."""
        hook = self.updates.webhook
        if hook is None:
            return False, 0.0
        fault = self.world.faults.take("webhook", "telegram", DELIVERIES)
        kind = fault.fault if fault else ""
        if fault and kind == "duplicate":
            update.copies += 1
        if fault and kind == "delay":
            await asyncio.sleep(fault.seconds)
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        status, retry_after, problem = 0, 0.0, ""
        try:
            if kind == "reset":
                problem = "Connection reset by peer"
            else:
                answer = await client.post(
                    hook.url, content=wire.dumps(update.body), headers=headers
                )
                status = answer.status_code
                retry_after = _retry_after(answer)
                problem = (
                    f"Wrong response from the webhook: {status} {answer.reason_phrase}"
                )
        except httpx.HTTPError as error:
            problem = f"Connection failed: {type(error).__name__}"
        self.world.books.tried("telegram", update.update_id, status, kind)
        lost = kind in {"lost_answer", "timeout"}
        self.pushes.append(
            {
                "update_id": update.update_id,
                "attempt": attempt,
                "status": status,
                "at": time.monotonic(),
            }
        )
        if 200 <= status < 300 and not lost:  # noqa: PLR2004 - HTTP success
            return True, 0.0
        hook.last_error_date = int(self.world.clock.now())
        hook.last_error_message = "Read timeout expired" if lost else problem
        self.world.ring()
        return False, retry_after


def _retry_after(answer: httpx.Response) -> float:
    """Seconds of a Retry-After header, 0 without one."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), RETRY_AFTER_CAP) if text.isdigit() else 0.0
