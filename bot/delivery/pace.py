"""How fast a channel may send: token buckets for the whole and for each person.

They live in one process and forget; a provider's 429 is what corrects the rest.
Times are monotonic seconds, told by the caller. A cost is in the channel's own unit:
messages, or segments of SMS.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.channels.limits import Limits

PEOPLE = 10_000
MINUTE = 60
LONGEST_BACKOFF = 600.0
SLOWEST = 16
"""A provider that says "too fast" halves the rate, down to this part of it."""
RECOVERY = 32
"""How many letters that it takes bring the whole rate back."""
_ROUNDING = 1e-6


@dataclass(slots=True)
class Bucket:
    """``rate`` tokens a second, at most ``burst`` at once.

    In any span of t seconds no more than ``burst + rate * t`` are taken. What costs more
    than the burst goes when the bucket is full, and is paid for afterwards.
    """

    rate: float
    burst: float
    level: float = field(init=False)
    at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self.level = self.burst

    def wait(self, cost: float, now: float) -> float:
        """Return in how many seconds ``cost`` tokens can be taken; 0 is now."""
        self._fill(now)
        missing = min(cost, self.burst) - self.level
        return missing / self.rate if missing > _ROUNDING else 0.0

    def take(self, cost: float, now: float) -> None:
        """Take ``cost`` tokens, on credit where ``wait`` was not asked."""
        self._fill(now)
        self.level -= cost

    def _fill(self, now: float) -> None:
        if now > self.at:
            self.level = min(self.burst, self.level + (now - self.at) * self.rate)
            self.at = now


class Pace:
    """The buckets of one channel."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._full = _inside(limits.per_second, limits.burst)
        self._all = Bucket(self._full, limits.burst)
        self._people: OrderedDict[bytes, Bucket] = OrderedDict()

    @property
    def rate(self) -> float:
        """Return how much goes out a second at most, as things stand."""
        return self._all.rate

    def wait(self, cost: float, now: float) -> float:
        """Return how many seconds the channel as a whole has to wait for ``cost``."""
        return self._all.wait(cost, now)

    def wait_for(
        self, person: bytes, cost: float, now: float, *, group: bool = False
    ) -> float:
        """Return how many seconds this person (or group) has to wait for ``cost``."""
        return self._person(person, group=group).wait(cost, now)

    def take(
        self,
        now: float,
        cost: float,
        person: bytes,
        own: float,
        *,
        group: bool = False,
    ) -> None:
        """Take ``cost`` from the whole and ``own`` from the person: it leaves now."""
        self._all.take(cost, now)
        self._person(person, group=group).take(own, now)

    def slow_down(self) -> None:
        """Halve the rate: the provider said that we are too fast."""
        self._all.rate = max(self._full / SLOWEST, self._all.rate / 2)

    def went_well(self) -> None:
        """Come back to the full rate, a little with each letter that was taken."""
        self._all.rate = min(self._full, self._all.rate + self._full / RECOVERY)

    def _person(self, person: bytes, *, group: bool) -> Bucket:
        bucket = self._people.pop(person, None) or self._new(group=group)
        self._people[person] = bucket
        if len(self._people) > PEOPLE:
            self._people.popitem(last=False)
        return bucket

    def _new(self, *, group: bool) -> Bucket:
        limits = self._limits
        if group and limits.group_per_minute:
            most = _inside(limits.group_per_minute, limits.group_burst)
            return Bucket(most / MINUTE, limits.group_burst)
        return Bucket(limits.per_chat_second, limits.chat_burst)


def _inside(stated: float, burst: float) -> float:
    """Return the rate that, with the burst, stays inside what a provider states."""
    return stated - burst if stated > burst else stated


def backoff(attempts: int) -> float:
    """Return 2^n seconds, at most ten minutes, a quarter more or less."""
    seconds = min(LONGEST_BACKOFF, 2.0 ** min(attempts, 10))
    return seconds * (75 + secrets.randbelow(51)) / 100
