"""Limits how fast somebody is answered, and whether a machine is.

Counted in memory under a random key: nothing of it reaches the store or a log, and a
restart forgets it.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from handlers.messages import Incoming, Kind
from storage.words import Channel

MOST_PEOPLE = 50_000
MINUTE = timedelta(minutes=1)
CALM = 40
"""Replies that one person gets in a minute before we ask them to slow down."""
SAME_WORDS, SHORT_WORDS, SHORT = 4, 30, 12
"""How often the same words are heard; how often those of up to ``SHORT`` letters."""
ECHO_QUIET = timedelta(minutes=10)


@dataclass(slots=True)
class _Count:
    since: datetime
    count: int = 0
    seen: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class _Memory:
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    people: OrderedDict[bytes, _Count] = field(default_factory=OrderedDict)
    guard: Lock = field(default_factory=Lock)

    def count(self, name: bytes, span: timedelta, now: datetime) -> int:
        """Count one more under a name, within ``span`` of the first, and return how many."""
        person = hmac.digest(self.key, name, "sha256")
        with self.guard:
            found = self.people.pop(person, None)
            if found is None or now - found.since >= span:
                found = _Count(now)
            found.count += 1
            self.people[person] = found
            if len(self.people) > MOST_PEOPLE:
                self.people.popitem(last=False)
            return found.count

    def times(self, name: bytes, id_: bytes, now: datetime) -> int:
        """Count different ids under a name since its last quiet; ``since`` is the last one."""
        key = hmac.digest(self.key, b"echo" + name, "sha256")
        with self.guard:
            found = self.people.pop(key, None)
            if found is None or now - found.since >= ECHO_QUIET:
                found = _Count(now)
            found.since = now
            if len(found.seen) <= SHORT_WORDS:
                found.seen.add(hmac.digest(self.key, id_, "sha256"))
            self.people[key] = found
            if len(self.people) > MOST_PEOPLE:
                self.people.popitem(last=False)
            return len(found.seen)


@dataclass(frozen=True, slots=True)
class Pace:
    """Counts what each person writes in a minute."""

    memory: _Memory = field(default_factory=_Memory, repr=False)

    def written(self, name: bytes, now: datetime) -> int:
        """Count one message of this person and return how many this minute."""
        return self.memory.count(name, MINUTE, now)


@dataclass(frozen=True, slots=True)
class Echoes:
    """Notices a machine that says the same again and again: an answer of its own to ours.

    The rule: the same words, digits and case aside, more than ``SAME_WORDS`` times with no
    quiet of ``ECHO_QUIET`` between (short words, which people do repeat, ``SHORT_WORDS``
    times) are taken as ever and get no answer, so that no exchange goes on. Nothing that
    somebody wrote is left out for it. Other words are answered, and after the quiet so are
    these.
    """

    memory: _Memory = field(default_factory=_Memory, repr=False)

    def hears(self, incoming: Incoming, name: bytes, now: datetime) -> bool:
        """Tell whether a message of this person is an echo; taken twice it counts once."""
        words = "".join(filter(str.isalpha, incoming.text.casefold()))
        ours = incoming.channel is Channel.CANARY
        if not words or incoming.kind is not Kind.TEXT or ours:
            return False
        most = SHORT_WORDS if len(words) <= SHORT else SAME_WORDS
        person = hmac.digest(self.memory.key, name, "sha256") + words.encode()
        return self.memory.times(person, incoming.provider_id.encode(), now) > most
