"""How fast somebody writes and how often they tried a code; in memory, under a random key.

Nothing of this reaches the store or a log, and a restart forgets it.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

MOST_PEOPLE = 50_000
MINUTE = timedelta(minutes=1)
CALM = 40
"""Replies that one person gets in a minute before we ask them to slow down."""
MOST_TRIES = 5
LOCKED = timedelta(minutes=15)


@dataclass(slots=True)
class _Count:
    since: datetime
    count: int = 0


@dataclass(slots=True)
class _Memory:
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    people: OrderedDict[bytes, _Count] = field(default_factory=OrderedDict)
    guard: Lock = field(default_factory=Lock)

    def count(self, name: bytes, span: timedelta, now: datetime, *, add: int) -> _Count:
        person = hmac.digest(self.key, name, "sha256")
        with self.guard:
            found = self.people.pop(person, None)
            if found is None or now - found.since >= span:
                found = _Count(now)
            found.count += add
            self.people[person] = found
            if len(self.people) > MOST_PEOPLE:
                self.people.popitem(last=False)
            return _Count(found.since, found.count)


@dataclass(frozen=True, slots=True)
class Pace:
    """Counts what each person writes in a minute."""

    memory: _Memory = field(default_factory=_Memory, repr=False)

    def written(self, name: bytes, now: datetime) -> int:
        """Count one message of this person and return how many this minute."""
        return self.memory.count(name, MINUTE, now, add=1).count


@dataclass(frozen=True, slots=True)
class Tries:
    """Counts wrong codes per contact; a case is never locked (SECRETS 3.5)."""

    memory: _Memory = field(default_factory=_Memory, repr=False)

    def left(self, name: bytes, now: datetime) -> int:
        """Return how many tries this contact has left."""
        return max(0, MOST_TRIES - self.memory.count(name, LOCKED, now, add=0).count)

    def wrong(self, name: bytes, now: datetime) -> int:
        """Count a wrong code and return how many tries are left."""
        return max(0, MOST_TRIES - self.memory.count(name, LOCKED, now, add=1).count)

    def minutes_locked(self, name: bytes, now: datetime) -> int:
        """Return for how many more minutes no try is taken, at least 1 when locked."""
        found = self.memory.count(name, LOCKED, now, add=0)
        return max(1, -int(-(LOCKED - (now - found.since)).total_seconds() // 60))
