"""How often somebody may try to sign in: in memory, under a random key.

Counted per account at one address, per account, and per address; unknown accounts count
like known ones, so nobody learns which exist. A browser in which this account signed in
before counts for itself alone: no flood from elsewhere fills its place.
"""

import hmac
import ipaddress
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

SPAN = timedelta(minutes=15)
MOST_HERE = 5
MOST_ACCOUNT = 25
MOST_ADDRESS = 50
_MOST_NAMES = 20_000
_LINE = 64


@dataclass(slots=True)
class _Count:
    since: datetime
    tries: int = 0


@dataclass(slots=True)
class Throttle:
    """Counts tries of the last quarter of an hour that did not succeed."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    counts: OrderedDict[bytes, _Count] = field(default_factory=OrderedDict, repr=False)
    guard: Lock = field(default_factory=Lock, repr=False)

    def begin(
        self, login: str, address: str, device: bytes = b"", *, now: datetime
    ) -> bool:
        """Take a try and count it; False when there were too many, which costs nothing.

        It is counted before the slow hashing, so tries at the same time count too.
        ``device`` names a browser in which this account signed in before, b"" another one.
        """
        with self.guard:
            names = self._names(login, address, device)
            if any(self._count(name, now).tries >= most for name, most in names):
                return False
            for name, _ in names:
                self._count(name, now).tries += 1
            return True

    def succeeded(
        self, login: str, address: str, device: bytes = b"", *, now: datetime
    ) -> None:
        """Give the try back, and forget what this account did at this address."""
        with self.guard:
            here, *others = self._names(login, address, device)
            self.counts.pop(here[0], None)
            for name, _ in others:
                count = self._count(name, now)
                count.tries = max(0, count.tries - 1)

    def _names(
        self, login: str, address: str, device: bytes
    ) -> list[tuple[bytes, int]]:
        if device:
            return [(self._name("device", login, device.hex()), MOST_HERE)]
        source = source_of(address)
        return [
            (self._name("here", login, source), MOST_HERE),
            (self._name("account", login), MOST_ACCOUNT),
            (self._name("address", source), MOST_ADDRESS),
        ]

    def _name(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8", "replace")
        return hmac.digest(self.key, text, "sha256")

    def _count(self, name: bytes, now: datetime) -> _Count:
        found = self.counts.pop(name, None)
        if found is None or now - found.since >= SPAN:
            found = _Count(now)
        self.counts[name] = found
        if len(self.counts) > _MOST_NAMES:
            self.counts.popitem(last=False)
        return found


def source_of(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or a /64 of IPv6, which one line has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _LINE), strict=False))
