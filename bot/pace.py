"""How fast a channel may send: token buckets for the whole and for each person.

They live in one process and forget; a provider's 429 is what corrects the rest.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.channels.base import Limits

PEOPLE = 10_000
MINUTE = 60
LONGEST_BACKOFF = 600.0


@dataclass(slots=True)
class Bucket:
    """``rate`` tokens a second, at most ``burst`` at once; times are monotonic seconds."""

    rate: float
    burst: float
    level: float = field(init=False)
    at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self, now: float) -> float:
        """Take one token, on credit if need be; return the seconds to wait for it."""
        if now > self.at:
            self.level = min(self.burst, self.level + (now - self.at) * self.rate)
            self.at = now
        self.level -= 1
        return max(0.0, -self.level / self.rate)


class Pace:
    """The buckets of one channel."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = Bucket(limits.per_second, max(1.0, limits.per_second / 5))
        self._people: OrderedDict[bytes, Bucket] = OrderedDict()

    def take(self, person: bytes, now: float, *, group: bool = False) -> float:
        """Return how many seconds a message to this person has to wait."""
        bucket = self._people.pop(person, None) or self._new(group=group)
        self._people[person] = bucket
        if len(self._people) > PEOPLE:
            self._people.popitem(last=False)
        return max(self._all.take(now), bucket.take(now))

    def _new(self, *, group: bool) -> Bucket:
        limits = self._limits
        if group and limits.group_per_minute:
            return Bucket(limits.group_per_minute / MINUTE, limits.chat_burst)
        return Bucket(limits.per_chat_second, limits.chat_burst)


def backoff(attempts: int) -> float:
    """Return 2^n seconds, at most ten minutes, a quarter more or less."""
    seconds = min(LONGEST_BACKOFF, 2.0 ** min(attempts, 10))
    return seconds * (75 + secrets.randbelow(51)) / 100
