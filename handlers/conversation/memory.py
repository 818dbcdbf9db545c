"""What is kept of a conversation between two messages, encrypted as one blob.

The dialogue's own state holds codes; around it stand the ids that the dialogue never
sees: the draft's report, a case that was opened by its code a moment ago, the handle for
the warning before a draft goes, and the trail for a clean chat.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from handlers.conversation.trail import Sweep, Trail
from handlers.dialogue import State
from handlers.messages import Incoming
from storage.crypto import sealing
from storage.words import Channel

DRAFT_LIFE = timedelta(hours=24)
TALK_LIFE = timedelta(minutes=30)
OPEN_LIFE = timedelta(minutes=15)
WARN_BEFORE = timedelta(hours=3)


@dataclass(slots=True)
class Memory:
    """``report`` and ``opened`` are report ids as hex, empty where there is none.

    ``opened`` may be added to until ``opened_until``; until then too the parts of
    ``album`` belong to ``sent``, the report that its caption sent; ``number`` is a case
    number that waits for its code, ``province`` the code of the one that the reporter named. Times
    are POSIX seconds: ``last_inbound`` is when we took their last message, from which a
    draft lives on, ``heard`` when they wrote it, from which a provider's window counts.
    """

    channel: Channel
    handle: str = field(repr=False)
    state: str = field(default="", repr=False)
    report: str = field(default="", repr=False)
    opened: str = field(default="", repr=False)
    opened_until: int = 0
    album: str = field(default="", repr=False)
    sent: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    province: str = ""
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
        row["trail"] = self.trail.to_rows()
        row["sweep"] = self.sweep.to_row() if self.sweep else None
        return json.dumps(row, separators=(",", ":")).encode("ascii")

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
        state = self._dialogue
        return state == state.fresh() and not (
            self.report or self.opened or self.sent or self.number
        )

    def is_empty(self) -> bool:
        """Tell whether nothing is left that the next message, or a clean chat, would need."""
        return self.is_idle() and not (self._dialogue.chosen or self.trail)

    def bare(self) -> "Memory":
        """Return what outlives a conversation: its trail and the language, no report."""
        return Memory(
            self.channel,
            self.handle,
            state=self._dialogue.fresh().to_json(),
            trail=self.trail,
            sweep=self.sweep,
        )

    @property
    def _dialogue(self) -> State:
        return State.from_json(self.state) if self.state else State()

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
        drafting = self.report or self._dialogue.has_draft
        return heard + (DRAFT_LIFE if drafting else TALK_LIFE)

    @property
    def ends(self) -> datetime:
        """Return when the row may go by what the person wrote last."""
        return self.expires(datetime.fromtimestamp(self.last_inbound, UTC))
