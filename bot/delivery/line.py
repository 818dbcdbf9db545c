"""One channel of delivery: the letters it holds, which may go now, and why none may.

Little is claimed ahead, because what is claimed no longer makes room for what is more
urgent: a quarter of a second's worth, and on a slow channel only what can leave at
once.
"""

import asyncio
import math
from dataclasses import dataclass, field
from datetime import datetime

from bot.channels import base, sms
from bot.channels.limits import Limits
from bot.delivery.pace import Pace
from bot.telemetry.breaker import Breaker
from handlers import lengths
from storage.letters.letter import PRIORITIES, Letter
from storage.outbox import Claimed
from storage.words import LetterKind

AT_ONCE = 32
"""Requests under way to one provider."""
AHEAD_SECONDS = 0.25
SOON = 0.05
"""Seconds before a slow channel may send again, from which on it is worth claiming."""
HELD = 64
"""Letters in memory that wait for their own person's pace, at most."""
PERSON_SECONDS = 1.0
"""A letter that has to wait longer for its person goes back into the outbox meanwhile."""
OLDEST_EVERY = 8
"""Of so many claims one takes the oldest, whatever its kind: nothing starves."""


@dataclass(slots=True, eq=False)
class Held:
    """A claimed letter, since when (wall clock), what it costs, and who goes first.

    ``own`` is what it costs its person: an acknowledgment is no message in their chat.
    """

    claimed: Claimed
    began: datetime
    cost: int
    own: int
    group: bool
    rank: tuple[int, int, int]


@dataclass(slots=True)
class Line:
    """One channel's state. ``bell`` rings when something may have changed.

    ``news``: somebody committed; ``look_at``: when (monotonic) the next letter is due.
    """

    sender: base.Sender
    pace: Pace
    breaker: Breaker = field(default_factory=Breaker)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)
    news: bool = True
    look_at: float = float("inf")
    claims: int = 0

    def ring(self) -> None:
        """Tell the loop that something changed."""
        self.news = True
        self.bell.set()

    def hold(self, claimed: Claimed, began: datetime) -> None:
        """Keep a claimed letter until it may go."""
        cost = cost_of(claimed.letter, self.sender.limits)
        own = 0 if claimed.letter.kind is LetterKind.ACK else cost
        group = claimed.letter.to.startswith("-")
        rank = (self.claims, PRIORITIES[claimed.letter.kind], claimed.id)
        self.held.append(Held(claimed, began, cost, own, group, rank))
        self.held.sort(key=lambda held: held.rank)

    def free(self) -> int:
        """Return how many requests may be begun now; one alone while we only probe."""
        most = 1 if self.breaker.probing else AT_ONCE
        return most - len(self.under_way)

    def room(self, now: float) -> int:
        """Return how many letters it is worth claiming now."""
        if self.free() <= 0 or self.pace.wait(1, now) > SOON:
            return 0
        ready = sum(1 for held in self.held if not self._waits(held, now))
        if self.breaker.probing:
            return 1 - ready
        ahead = max(1, math.ceil(self.pace.rate * AHEAD_SECONDS))
        return max(0, min(ahead - ready, HELD - len(self.held)))

    def worth_claiming(self, now: float) -> float:
        """Return in how many seconds it is worth claiming; what ends or goes rings too."""
        if self.free() <= 0 or self.held:
            return math.inf
        return max(0.0, self.pace.wait(1, now) - SOON)

    def following(self, now: float) -> tuple[Held | None, float]:
        """Take out the letter that may go now, or tell how many seconds to wait for one.

        The first whose person may be written to; nobody cheaper passes it.
        """
        shortest = math.inf
        if self.free() <= 0:
            return None, shortest
        for held in self.held:
            if wait := self._waits(held, now):
                shortest = min(shortest, wait)
                continue
            if wait := self.pace.wait(held.cost, now):
                return None, min(shortest, wait)
            self.held.remove(held)
            return held, 0.0
        return None, shortest

    def patient(self, now: float) -> list[tuple[Held, float]]:
        """Take out those that have to wait too long for their person, with their waits."""
        found = [(held, self._waits(held, now)) for held in self.held]
        gone = [(held, wait) for held, wait in found if wait > PERSON_SECONDS]
        for held, _ in gone:
            self.held.remove(held)
        return gone

    def take(self, held: Held, now: float) -> None:
        """Count a letter that leaves now."""
        self.pace.take(
            now, held.cost, held.claimed.order_name, held.own, group=held.group
        )

    def _waits(self, held: Held, now: float) -> float:
        return self.pace.wait_for(
            held.claimed.order_name, held.own, now, group=held.group
        )


def cost_of(letter: Letter, limits: Limits) -> int:
    """Return what a letter costs on a channel: one, or its segments as they are sent."""
    if not limits.in_segments:
        return 1
    return lengths.count(base.clean(letter.text).translate(sms.LOOK_ALIKES))
