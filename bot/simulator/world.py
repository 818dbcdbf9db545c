"""What the simulator remembers: settings, phones, faults, requests. All in memory."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bot.simulator.clock import Clock
from bot.simulator.phones import Phone, PhoneBook
from bot.simulator.rules.authenticator import Authenticator
from bot.simulator.rules.books import Books
from bot.simulator.rules.faults import Faults
from bot.simulator.rules.strict import Strict

REQUESTS = 5000
"""How many of the bot's requests are remembered."""


@dataclass
class Settings:
    """What the command line and the control API set.

    ``window_error``: outside WhatsApp's 24 hours a free text is refused at once
    (``refuse``) or accepted and failed later (``fail``). ``advanced_opt_out``: opt-out
    words reach the bot too, with ``OptOutType``; ``forwards_opt_out``: they do, without.
    ``sms_fallback`` and its like: the address that is called when the first one fails;
    ``messaging_service_sid``: the service that incoming messages pass through.
    ``read_receipts``: WhatsApp says read. ``strict_pace``: whoever sends faster than the
    providers state is refused with 429.
    """

    telegram_token: str = "700000001:SIMULATOR-simulator-SIMULATOR-00000"  # noqa: S105 - a made-up default
    bot_username: str = "kentongan_demo_bot"
    bot_name: str = "Kentongan"
    account_sid: str = "AC" + "5" * 32
    auth_token: str = "simulator" + "0" * 23
    sms_number: str = "+15005550006"
    whatsapp_number: str = "+15005550009"
    sms_webhook: str = ""
    whatsapp_webhook: str = ""
    sms_fallback: str = ""
    whatsapp_fallback: str = ""
    sms_method: str = "POST"
    sms_fallback_method: str = "POST"
    sms_application_sid: str = ""
    messaging_service_sid: str = ""
    officer_name: str = "Dewi Anggraini"
    console_url: str = ""
    base_url: str = ""
    window_error: str = "refuse"
    advanced_opt_out: bool = False
    forwards_opt_out: bool = False
    read_receipts: bool = False
    strict_pace: bool = False
    seed: str = "kentongan"


@dataclass
class Template:
    """A WhatsApp message template; ``{{1}}`` and so on are its variables."""

    sid: str
    body: str
    buttons: list[dict[str, str]] = field(default_factory=list)


@dataclass
class StoredFile:
    """A file that a provider holds."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


NEWS = (
    Template(
        "HX" + "1" * 32,
        "Ada pembaruan untuk nomor {{1}}. Silakan buka saat Anda senggang.",
    ),
    Template(
        "HX" + "2" * 32,
        "There is an update for number {{1}}. Please open it when convenient.",
    ),
)
"""Neutral template texts, approved from the start: Indonesian, then English."""


class World:
    """Everything that happened so far, and a bell that rings when something does."""

    def __init__(
        self, settings: Settings, clock: Clock, authenticator: Authenticator
    ) -> None:
        self.settings = settings
        self._as_started = (replace(settings), clock.scale)
        self.authenticator = authenticator
        self.clock = clock
        self.faults = Faults()
        self.closing = False
        self.on_reset: list[Callable[[], None]] = []
        self.on_restart: list[Callable[[], None]] = []
        self._bell = asyncio.Event()
        self._empty()

    def _empty(self) -> None:
        self.phones = PhoneBook(self.settings.officer_name)
        self.requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS)
        self.books = Books()
        self.strict = Strict()
        self.templates = {template.sid: template for template in NEWS}
        self.files: dict[str, StoredFile] = {}
        self.version = getattr(self, "version", 0) + 1
        self._counters: dict[str, int] = {}
        self._requests_seen = 0

    def reset(self) -> None:
        """Forget all but the settings; ids start again."""
        self.faults.clear()
        self.clock.shift = 0.0
        self._empty()
        for forget in self.on_reset:
            forget()
        self.ring()

    def restart(self) -> None:
        """Be as just started, for somebody else: settings too, and nothing under way."""
        settings, self.clock.scale = self._as_started
        for named in fields(Settings):
            setattr(self.settings, named.name, getattr(settings, named.name))
        for end in self.on_restart:
            end()
        self.reset()

    def close(self) -> None:
        """Let every waiting request end."""
        self.closing = True
        self.ring()

    def ring(self, *phones: Phone) -> None:
        """Wake everybody who waits for something to happen (on these phones)."""
        self.version += 1
        for phone in phones:
            phone.version = self.version
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def until(self, true: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109 - the caller's long poll
        """Wait until ``true()``, at most ``timeout`` seconds; say whether it came."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while not true():
            left = end - loop.time()
            if left <= 0 or self.closing:
                return False
            try:
                await asyncio.wait_for(self._bell.wait(), left)
            except TimeoutError:
                return true()
        return True

    async def pause(self, seconds: float) -> None:
        """Wait ``seconds`` of provider time; ends early when the simulator closes."""
        await self.until(lambda: self.closing, self.clock.wait(seconds))

    def count(self, name: str, start: int = 0) -> int:
        """Give the next number of a named sequence."""
        self._counters[name] = self._counters.get(name, start) + 1
        return self._counters[name]

    def hexadecimal(self, name: str, length: int = 32) -> str:
        """Give the next id of a named sequence: looks random, the same for the same seed."""
        text = f"{self.settings.seed}:{name}:{self.count(name)}"
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def record(
        self, api: str, method: str, params: dict[str, Any], **rest: object
    ) -> None:
        """Remember a request of the bot for the tests' conformance checks."""
        self._requests_seen += 1
        self.requests.append(
            {
                "n": self._requests_seen,
                "api": api,
                "method": method,
                "params": params,
                **rest,
            }
        )
        self.ring()
