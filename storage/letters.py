"""A letter: one thing to send, as it lies encrypted in the outbox."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from storage.words import Channel, LetterKind


@dataclass(frozen=True, slots=True)
class Letter:
    """What a channel needs to send one message.

    ``to`` is the handle. ``buttons`` are pairs (label, callback data). ``template`` names
    an approved provider template to use when free text is not allowed any more, with
    ``parameters`` for its places and ``language`` for its version; ``last_inbound`` is
    the POSIX second of the person's last message (0 unknown), from which the 24 h window
    is computed. ``press_id`` (acknowledgments) and ``message_ids`` (deletions) are the
    provider's. ``case`` is the report id as hex, to record that a person cannot be
    reached; empty where there is none.
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

    def to_bytes(self) -> bytes:
        """Return the letter as JSON bytes; lone surrogates survive as escapes."""
        return json.dumps(asdict(self)).encode("ascii")

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read back what ``to_bytes`` wrote."""
        fields: dict[str, Any] = json.loads(raw)
        fields["kind"] = LetterKind(fields["kind"])
        fields["channel"] = Channel(fields["channel"])
        fields["buttons"] = tuple((label, data) for label, data in fields["buttons"])
        fields["message_ids"] = tuple(fields["message_ids"])
        return cls(**fields)
