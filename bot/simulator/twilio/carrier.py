"""Twilio's webhooks: inbound messages and status callbacks, signed, with its retries.

By default only a failed connection is tried again, once; a fragment of the URL such as
``#rc=3&rp=ct,rt,5xx`` changes that, as Twilio's connection overrides do; all tries
together have ``tt``. Then the fallback address is called, with two fields more.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urldefrag

import httpx

from bot.simulator import wire
from bot.simulator.phones import Phone
from bot.simulator.rules.faults import DELIVERIES, NEVER, SHUFFLE, Fault
from bot.simulator.world import World

CONNECT, READ, TOTAL = 5000, 15000, 15000
"""Milliseconds: ``ct``, ``rt`` and ``tt`` unless the fragment says otherwise."""
ERRORS = {"ct": "11205", "rt": "11205", "4xx": "11200", "5xx": "11200"}
"""What a fallback address is told of the first one's failure."""
STATUS_STEP = 0.05
"""Seconds of provider time between two statuses of a message."""


def signature(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """``X-Twilio-Signature``: HMAC-SHA1 over the URL and every parameter, sorted."""
    text = url + "".join(name + params[name] for name in sorted(params))
    digest = hmac.new(
        auth_token.encode(), text.encode(errors="replace"), hashlib.sha1
    ).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Override:
    """Connection overrides of a webhook URL's fragment; times in milliseconds."""

    connect: int = CONNECT
    read: int = READ
    total: int = TOTAL
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> "Override":
        """Read ``ct``, ``rt``, ``tt``, ``rc`` and ``rp``."""
        given = dict(parse_qsl(fragment))
        return cls(
            connect=int(given.get("ct", CONNECT)),
            read=int(given.get("rt", READ)),
            total=int(given.get("tt", TOTAL)),
            retries=min(int(given.get("rc", 1)), 5),
            policy=frozenset(given.get("rp", "ct").split(",")),
        )

    def again(self, outcome: str) -> bool:
        """Whether an outcome (``ct``, ``rt``, ``4xx``, ``5xx``) is tried again."""
        return outcome in self.policy or (bool(outcome) and "all" in self.policy)


@dataclass
class Carrier:
    """Carries webhooks to the bot: in order per phone, each as a task of its own."""

    world: World
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _tails: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def inbound(
        self, phone: Phone, params: dict[str, str], report: dict[str, Any]
    ) -> None:
        """Send an inbound message after those of the same phone; fill in ``report``."""
        settings = self.world.settings
        on_sms = phone.channel == "sms"
        url = settings.sms_webhook if on_sms else settings.whatsapp_webhook
        spare = settings.sms_fallback if on_sms else settings.whatsapp_fallback
        if not url:
            report["problem"] = "no webhook is set"
            return
        before = self._tails.get(phone.name)

        async def deliver() -> None:
            if before is not None:
                await asyncio.wait({before})
            wrong = await self._post(url, phone.channel, params, report)
            if wrong in ERRORS and spare:
                error = {"ErrorCode": ERRORS[wrong], "ErrorUrl": url}
                await self._post(spare, phone.channel, params | error, report)
            self.world.ring(phone)

        self._tails[phone.name] = self._start(deliver())

    def statuses(
        self, url: str, base: dict[str, str], steps: list[dict[str, str]]
    ) -> None:
        """Send the status callbacks of one message, one after the other."""
        if self.world.faults.take("webhook", "status", SHUFFLE):
            steps.reverse()

        async def deliver() -> None:
            for step in steps:
                await self.world.pause(STATUS_STEP)
                await self._post(url, "status", base | step, {})

        if url:
            _ = self._start(deliver())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def forget(self) -> None:
        """Drop every delivery."""
        for task in self.tasks:
            task.cancel()
        self._tails.clear()

    async def stop(self) -> None:
        """End every delivery."""
        tasks = tuple(self.tasks)
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _post(
        self, url: str, method: str, params: dict[str, str], report: dict[str, Any]
    ) -> str:
        """Deliver one webhook, with Twilio's retries and the planned fault.

        Returns ``""`` for success, else how the last try failed (``never``: untried).
        """
        target, fragment = urldefrag(url)
        override = Override.of(fragment)
        token = self.world.hexadecimal("idempotency", 32)
        loop = asyncio.get_running_loop()
        ends, outcome = loop.time() + override.total / 1000, ""
        for attempt in range(override.retries + 1):
            fault = self.world.faults.take("webhook", method, DELIVERIES)
            if fault and fault.fault == NEVER:
                report["problem"] = "the webhook was never called"
                return NEVER
            if fault and fault.fault == "delay":
                await asyncio.sleep(fault.seconds)
            left = replace(override, total=int((ends - loop.time()) * 1000))
            outcome = await self._try(target, params, left, token, fault, report)
            if fault and fault.fault == "duplicate":
                await self._try(target, params, left, token, None, report)
            report["attempts"] = attempt + 1
            if not override.again(outcome) or loop.time() >= ends:
                break
        return outcome

    async def _try(
        self,
        url: str,
        params: dict[str, str],
        override: Override,
        token: str,
        fault: Fault | None,
        report: dict[str, Any],
    ) -> str:
        """Make one attempt and write it down; ``""`` for success, else how it failed."""
        report["status"] = 0
        outcome = await self._attempt(url, params, override, token, fault, report)
        if "MessageStatus" not in params:
            kind = fault.fault if fault else ""
            sid, status = params["MessageSid"], report["status"]
            self.world.books.tried("twilio", sid, report.get("answer", status), kind)
            self.world.ring()
        return outcome

    async def _attempt(
        self,
        url: str,
        params: dict[str, str],
        override: Override,
        token: str,
        fault: Fault | None,
        report: dict[str, Any],
    ) -> str:
        kind = fault.fault if fault else ""
        report["answer"] = 0
        if kind == "reset":
            report |= {"status": 0, "problem": "connection failed"}
            return "ct"
        headers = {
            "X-Twilio-Signature": signature(
                self.world.settings.auth_token, url, params
            ),
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": "TwilioProxy/1.1",
        }
        timeout = httpx.Timeout(override.read / 1000, connect=override.connect / 1000)
        try:
            async with wire.client(timeout) as client:
                async with asyncio.timeout(override.total / 1000):
                    answer = await client.post(url, data=params, headers=headers)
        except httpx.ConnectError as error:
            report |= {"status": 0, "problem": type(error).__name__}
            return "ct"
        except (httpx.HTTPError, TimeoutError) as error:
            report |= {"status": 0, "problem": type(error).__name__}
            return "rt"
        report["answer"] = answer.status_code
        if kind in {"lost_answer", "timeout"}:
            report |= {"status": 0, "problem": "the answer was lost"}
            return "rt"
        report |= {"status": answer.status_code, "problem": ""}
        return {4: "4xx", 5: "5xx"}.get(answer.status_code // 100, "")
