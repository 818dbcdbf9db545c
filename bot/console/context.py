"""What every page of the console knows: store, writer, office, throttles, hashers."""

import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from bot.console.texts import ConsoleTexts
from bot.console.throttle import Throttle
from bot.intake.quarantine import Result
from bot.telemetry.metrics import Level
from bot.watch.alarms import Alarm
from bot.writer import StoreUnavailable, Writer
from handlers.office import Office
from handlers.quarantine.release import Quarantined
from storage.database.database import Database
from storage.evidence.blobs import BlobStore

HASHERS = 2
"""Sign-ins that may hash at once: each takes 64 MiB."""
WAITING = 6
"""Sign-ins that may wait for that; more are asked to come back."""
KNOWN_HASHERS, KNOWN_WAITING = 1, 4
"""The same once more, for browsers in which the account signed in before."""


def no_rings() -> Mapping[Alarm, datetime]:
    """Return no alarm where nobody watches."""
    return {}


def no_levels() -> Mapping[Level, float]:
    """Return no level where nobody reads them."""
    return {}


def no_bot() -> str:
    """Return the bot's address while nobody knows it."""
    return ""


async def no_release(_name: bytes, _message: Quarantined, _by: bytes) -> Result:
    """Take nothing in where no provider's channel runs."""
    raise StoreUnavailable


@dataclass(frozen=True, slots=True)
class Hashers:
    """Turns at the slow hashing: so many at once, so many more may wait."""

    turns: threading.Semaphore
    waiting: threading.Semaphore

    @classmethod
    def of(cls, turns: int, waiting: int) -> Self:
        """Make turns that are all free."""
        return cls(threading.Semaphore(turns), threading.Semaphore(waiting))


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """Made once at start.

    ``blob_store`` holds the sealed evidence, ``public_url`` the origin under which
    officers reach us ("" when only this machine does), ``bot_url`` returns the address
    of the Telegram bot (``https://t.me/name``), "" while it is unknown. ``rings`` returns
    the alarms that ring and since when, ``levels`` what ``/metrics`` tells.
    ``release`` takes a message in again that a custodian opened. ``known_hashers`` are for
    browsers in which the account signed in before: no crowd of others holds them up.
    """

    writer: Writer
    database: Database
    office: Office
    clock: Callable[[], datetime]
    blob_store: BlobStore
    public_url: str = ""
    bot_url: Callable[[], str] = no_bot
    agency: str = ""
    rings: Callable[[], Mapping[Alarm, datetime]] = no_rings
    levels: Callable[[], Mapping[Level, float]] = no_levels
    release: Callable[[bytes, Quarantined, bytes], Coroutine[Any, Any, Result]] = (
        no_release
    )
    texts: ConsoleTexts = field(default_factory=ConsoleTexts)
    throttle: Throttle = field(default_factory=Throttle)
    hashers: Hashers = field(default_factory=lambda: Hashers.of(HASHERS, WAITING))
    known_hashers: Hashers = field(
        default_factory=lambda: Hashers.of(KNOWN_HASHERS, KNOWN_WAITING)
    )

    @property
    def is_public(self) -> bool:
        """Tell whether officers come over the net, by TLS."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def hosts(self) -> frozenset[str]:
        """Return the names under which a browser may call us (rebinding is refused)."""
        own = urlsplit(self.public_url).hostname
        return frozenset({"127.0.0.1", "localhost", "::1"} | ({own} if own else set()))
