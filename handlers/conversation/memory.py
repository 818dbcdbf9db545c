"""What is kept of a conversation between two messages, encrypted as one blob.

``Memory`` holds the dialogue's state, which is codes only, and the ids that the
dialogue never sees: the draft's report, a case that its code opened a moment ago, the
handle for the warning before a draft goes. ``Trail`` and ``Sweep`` are for a clean
chat: the ids of messages that may still be deleted, and a cleaning under way.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from handlers.messages import Incoming
from handlers.talk.state import State
from storage.crypto import sealing
from storage.words import Channel

DRAFT_LIFE = timedelta(hours=24)
TALK_LIFE = timedelta(minutes=30)
OPEN_LIFE = timedelta(minutes=15)
WARN_BEFORE = timedelta(hours=3)


LONGEST: Final = 400
"""Ids that are kept; the oldest ones make place."""
OPEN: Final = 1 << 62
"""The bound of a sweep that takes every message still to come."""
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Trail:
    """``ids`` maps message ids to the hour (since 1970) before which each may be deleted.

    ``lost`` counts the messages that are too old by now or too many.
    """

    ids: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    lost: int = 0

    def __bool__(self) -> bool:
        """Tell whether a message is known that may still be deleted."""
        return bool(self.ids)

    def with_id(self, message_id: int, written: datetime, hours: int) -> "Trail":
        """Add a message that may be deleted within so many hours; no change if known."""
        if message_id <= 0 or any(message_id == known for known, _ in self.ids):
            return self
        until = int(written.timestamp() // _HOUR) + hours
        ids = sorted((*self.ids, (message_id, until)))
        over = max(0, len(ids) - LONGEST)
        return Trail(tuple(ids[over:]), self.lost + over)

    def living(self, now: datetime) -> "Trail":
        """Return the trail without what became too old to be deleted."""
        hour = int(now.timestamp() // _HOUR)
        ids = tuple(one for one in self.ids if one[1] > hour)
        return Trail(ids, self.lost + len(self.ids) - len(ids))

    def without(self, ids: Collection[int]) -> "Trail":
        """Return the trail without these messages."""
        kept = tuple(one for one in self.ids if one[0] not in ids)
        return replace(self, ids=kept)

    def first(self, count: int, *, below: int) -> tuple[int, ...]:
        """Return the oldest ids that are smaller than ``below``, so many at most."""
        return tuple(one for one, _ in self.ids if one < below)[:count]

    @property
    def newest(self) -> int:
        """Return the highest id, 0 where there is none."""
        return self.ids[-1][0] if self.ids else 0

    @property
    def ends(self) -> datetime:
        """Return when the last message becomes too old."""
        return datetime.fromtimestamp(max(u for _, u in self.ids) * _HOUR, UTC)

    def to_rows(self) -> list[list[int]]:
        """Return the trail as lists of numbers: what is lost, then each hour's ids."""
        hours: dict[int, list[int]] = {}
        for message_id, until in self.ids:
            hours.setdefault(until, []).append(message_id)
        return [[self.lost], *([until, *ids] for until, ids in hours.items())]

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[int]]) -> Self:
        """Read what ``to_rows`` returned."""
        lost, *hours = rows or [[0]]
        ids: Iterable[tuple[int, int]] = (
            (int(message_id), int(row[0])) for row in hours for message_id in row[1:]
        )
        return cls(tuple(sorted(ids)), int(lost[0]))


@dataclass(frozen=True, slots=True)
class Sweep:
    """A cleaning under way. It takes ids smaller than ``below``, ``size`` at once.

    ``posted`` is the POSIX second when a deletion went into the outbox, 0 while none
    waits there. ``left`` counts messages that the provider will not delete, ``refusals``
    its answers that said so.
    """

    size: int
    below: int = OPEN
    posted: int = 0
    left: int = 0
    refusals: int = 0

    def to_row(self) -> list[int]:
        """Return the sweep as numbers."""
        return [self.size, self.below, self.posted, self.left, self.refusals]


@dataclass(slots=True)
class Memory:
    """``report`` and ``opened`` are report ids as hex, empty where there is none.

    ``opened`` may be added to until ``opened_until``; until then too the parts of
    ``album`` belong to ``sent``, the report that its caption sent; ``number`` is a case
    number that waits for its code, ``readings`` the codes that the draft's words were read as,
    by step. Times are POSIX seconds: ``last_inbound`` is when we took their last message, from which a
    draft lives on, ``heard`` when they wrote it, from which a provider's window counts.
    """

    channel: Channel
    handle: str = field(repr=False)
    state: State = field(default=State(), repr=False)
    report: str = field(default="", repr=False)
    opened: str = field(default="", repr=False)
    opened_until: int = 0
    album: str = field(default="", repr=False)
    sent: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    readings: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    last_inbound: int = 0
    heard: int = 0
    warned: bool = False
    trail: Trail = field(default=Trail(), repr=False)
    sweep: Sweep | None = None

    def addressed(self, incoming: Incoming) -> Incoming:
        """Let a message that was fetched late be answered where its person is answered.

        A provider's list may name them by another address than its webhook does, and
        letters to two addresses keep no order.
        """
        if self.handle == incoming.handle:
            return incoming
        aliases = (incoming.handle, *incoming.aliases)
        return replace(incoming, handle=self.handle, aliases=aliases)

    def to_bytes(self) -> bytes:
        """Return what is kept."""
        row = {one.name: getattr(self, one.name) for one in fields(self)}
        row["state"] = self.state.to_json()
        row["trail"] = self.trail.to_rows()
        row["sweep"] = self.sweep.to_row() if self.sweep else None
        return sealing.spaced(json.dumps(row, separators=(",", ":")).encode("ascii"))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read what ``to_bytes`` wrote; unknown fields of older versions are dropped.

        Raises NotAuthentic for anything else.
        """
        row = sealing.told(raw)
        with sealing.as_written():
            return cls._read(row)

    @classmethod
    def _read(cls, row: Mapping[str, Any]) -> Self:
        known = {one.name for one in fields(cls)}
        memory = cls(**{name: value for name, value in row.items() if name in known})
        memory.channel = Channel(memory.channel)
        memory.state = State.from_json(row.get("state") or "")
        memory.trail = Trail.from_rows(row.get("trail") or ())
        memory.sweep = Sweep(*row["sweep"]) if row.get("sweep") else None
        return memory

    def may_add(self, now: datetime) -> bool:
        """Tell whether a case was opened by its code within the last 15 minutes."""
        return bool(self.opened) and now.timestamp() < self.opened_until

    def open_case(self, report: bytes, now: datetime) -> None:
        """Remember for 15 minutes which case was opened."""
        self.opened = report.hex()
        self.opened_until = int((now + OPEN_LIFE).timestamp())

    def case_over(self, now: datetime) -> bool:
        """Tell whether a case is remembered for longer than its 15 minutes."""
        known = bool(self.opened or self.sent)
        return known and now.timestamp() >= self.opened_until

    def forget_case(self) -> None:
        """Forget the case that was opened, or sent with an album."""
        self.opened, self.opened_until = "", 0
        self.album = self.sent = ""

    def with_album(self, group: str, report: str, now: datetime) -> "Memory":
        """Wait for further parts of the album with which a report was sent."""
        until = int((now + OPEN_LIFE).timestamp())
        return replace(self, album=group, sent=report, opened_until=until)

    def is_idle(self) -> bool:
        """Tell whether nothing is under way."""
        return self.state == self.state.fresh() and not (
            self.report or self.opened or self.sent or self.number
        )

    def is_empty(self) -> bool:
        """Tell whether nothing is left that the next message, or a clean chat, would need."""
        return self.is_idle() and not (self.state.chosen or self.trail)

    def bare(self) -> "Memory":
        """Return what outlives a conversation: its trail and the language, no report."""
        return Memory(
            self.channel,
            self.handle,
            state=self.state.fresh(),
            trail=self.trail,
            sweep=self.sweep,
        )

    def draft_over(self, now: datetime) -> bool:
        """Tell whether the draft's 24 hours without a message have passed."""
        return bool(self.report) and now >= self.draft_ends()

    def draft_ends(self) -> datetime:
        """Return when the draft goes unless another message comes."""
        return datetime.fromtimestamp(self.last_inbound, UTC) + DRAFT_LIFE

    def expires(self, heard: datetime) -> datetime:
        """Return when the row may go, or all of it but the trail.

        ``heard`` is when the person last wrote.
        """
        if self.is_idle() and self.trail:
            return self.trail.ends
        drafting = self.report or self.state.has_draft
        return heard + (DRAFT_LIFE if drafting else TALK_LIFE)

    @property
    def ends(self) -> datetime:
        """Return when the row may go by what the person wrote last."""
        return self.expires(datetime.fromtimestamp(self.last_inbound, UTC))
