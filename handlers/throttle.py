"""Limits how fast somebody is answered, whether a machine is, and how many cases one makes.

Counted in memory under a random key: nothing of it reaches the store or a log, and a
restart forgets it.
"""

import hmac
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

from handlers.messages import Incoming, Kind
from storage.words import Channel

T = TypeVar("T")
MOST_PEOPLE = 50_000
MINUTE = timedelta(minutes=1)
CALM = 40
"""Replies that one person gets in a minute before we ask them to slow down."""
SAME_WORDS, SHORT_WORDS, SHORT = 4, 30, 12
"""How often the same words are heard; how often those of up to ``SHORT`` letters."""
ECHO_QUIET = timedelta(minutes=10)
HOUR = timedelta(hours=1)
JOINED_FROM = 4
"""From this report of a contact within an hour on, further ones are joined into one."""
SAME_FOR = timedelta(hours=24)
"""How long the same words of a contact are known as taken."""


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


@dataclass(frozen=True, slots=True)
class Floods:
    """Counts what each contact reports, and knows whether it said the same before.

    The rule: ``joined_from`` and ``same_for``. Nothing here leads to a case.
    """

    joined_from: int = JOINED_FROM
    same_for: timedelta = SAME_FOR
    memory: _Memory = field(default_factory=_Memory, repr=False)
    reports: OrderedDict[bytes, deque[datetime]] = field(
        default_factory=OrderedDict, repr=False
    )
    words: OrderedDict[bytes, datetime] = field(default_factory=OrderedDict, repr=False)

    def is_one(self, name: bytes, now: datetime, *, besides: int = 0) -> bool:
        """Tell whether the next report of a contact is to be joined with others.

        ``besides``: how many of it are not durable yet.
        """
        with self.memory.guard:
            sent = self.reports.get(self._mac(name), ())
            lately = sum(1 for at in sent if now - at < HOUR)
        return lately + besides >= self.joined_from - 1

    def sent(self, name: bytes, now: datetime) -> None:
        """Count a report that is durable."""
        person = self._mac(name)
        with self.memory.guard:
            sent = self.reports.get(person) or deque(maxlen=self.joined_from)
            sent.append(now)
            _keep(self.reports, person, sent)

    def trace(self, name: bytes, text: str) -> bytes:
        """Return what is remembered of a contact's words: an HMAC of both."""
        said = " ".join(text.casefold().split())
        return self._mac(name + said.encode("utf-8", "surrogatepass"))

    def knows(self, trace: bytes, now: datetime) -> bool:
        """Tell whether these words were taken of late."""
        with self.memory.guard:
            taken = self.words.get(trace)
        return taken is not None and now - taken < self.same_for

    def took(self, trace: bytes, now: datetime) -> None:
        """Remember words that are durable."""
        with self.memory.guard:
            _keep(self.words, trace, now)

    def _mac(self, value: bytes) -> bytes:
        return hmac.digest(self.memory.key, value, "sha256")


def _keep(known: OrderedDict[bytes, T], name: bytes, value: T) -> None:
    known[name] = value
    known.move_to_end(name)
    if len(known) > MOST_PEOPLE:
        known.popitem(last=False)
