"""A letter: one thing to send, as it lies encrypted in the outbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from storage.crypto import sealing
from storage.crypto.server_key import Purpose, ServerKeys
from storage.words import Channel, LetterKind

LIVES: Final = {
    LetterKind.REPLY: timedelta(hours=24),
    LetterKind.RECEIPT: timedelta(hours=24),
    LetterKind.NOTICE: timedelta(hours=48),
    LetterKind.ALERT: timedelta(hours=24),
    LetterKind.ACK: timedelta(seconds=15),
    LetterKind.DELETE: timedelta(hours=47),
}
"""How long a letter may wait: no row of the outbox is older than 48 hours."""

_HOUR: Final = timedelta(hours=1)


def expiry(kind: LetterKind, now: datetime) -> datetime:
    """Return when a letter goes unsent: at a full hour, where its life is long.

    It stands in clear beside a keyed handle as long as the letter waits. To the second it
    would say with which act of an officer, or of somebody else, the letter was written.
    """
    ends = now + LIVES[kind]
    if LIVES[kind] < _HOUR:
        return ends
    return ends.replace(minute=0, second=0, microsecond=0)


FIRST: Final = 0
LAST: Final = 3
PRIORITIES: Final = {
    LetterKind.ACK: FIRST,
    LetterKind.REPLY: 1,
    LetterKind.RECEIPT: 1,
    LetterKind.NOTICE: 2,
    LetterKind.DELETE: LAST,
    LetterKind.ALERT: LAST,
}
"""Who goes first. A receipt looks like any reply: a row must not tell that a report came."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a channel needs to send one message.

    ``to`` is the handle. ``buttons`` are pairs (label, callback data). ``template`` names
    an approved provider template to use when free text is not allowed any more, with
    ``parameters`` for its places and ``language`` for its version; ``last_inbound`` is
    the POSIX second of the person's last message (0 unknown), from which the 24 h window
    is computed. ``full``: the text holds words that only who asked for them may get.
    ``again``: it went once before and did not arrive. ``press_id`` (acknowledgments) and ``message_ids`` (deletions) are the
    provider's. ``case`` is the report id as hex, to record that a person cannot be
    reached; empty where there is none. ``topic`` is what an alert tells of: one that waits
    tells of all (``handlers/notices/piles.py``), and ``parameters`` what it counted.
    """

    kind: LetterKind
    channel: Channel
    to: str = field(repr=False)
    text: str = field(default="", repr=False)
    buttons: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    language: str = "id"
    last_inbound: int = 0
    press_id: str = field(default="", repr=False)
    message_ids: tuple[int, ...] = field(default=(), repr=False)
    case: str = field(default="", repr=False)
    full: bool = False
    again: bool = False
    topic: str = ""

    @property
    def twin(self) -> tuple[str, ...]:
        """Return what it shares with a letter that need not wait beside it; empty for none.

        Whatever leaves last has one, so that the rows differ in nothing that can be read.
        """
        if PRIORITIES[self.kind] != LAST:
            return ()
        told: tuple[str, ...] = (self.topic,)
        if not self.topic:
            buttons = (part for button in self.buttons for part in button)
            told = ("", self.text, *buttons, *map(str, self.message_ids))
        return ("twin", self.channel, self.to, self.kind, *told)

    def twin_name(self, keys: ServerKeys) -> bytes | None:
        """Return the keyed name of ``twin``."""
        return keys.look_up(Purpose.ORDER, *self.twin) if self.twin else None

    def to_bytes(self) -> bytes:
        """Return the letter as JSON bytes; lone surrogates survive as escapes."""
        row = {name: getattr(self, name) for name in self.__slots__}
        row["parameters"] = dict(self.parameters)
        return sealing.spaced(json.dumps(row).encode("ascii"))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read back what ``to_bytes`` wrote; raises NotAuthentic for anything else."""
        fields = sealing.told(raw)
        with sealing.as_written():
            fields["kind"] = LetterKind(fields["kind"])
            fields["channel"] = Channel(fields["channel"])
            fields["buttons"] = tuple(
                (label, data) for label, data in fields["buttons"]
            )
            fields["message_ids"] = tuple(fields["message_ids"])
            fields["parameters"] = dict(fields["parameters"])
            return cls(**fields)
