"""The trail of a conversation: the provider's ids of both sides' messages.

Kept encrypted, for a clean chat, on channels where a bot may delete messages for both
sides. An id says neither who wrote the message nor what stood in it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Self

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
