"""The providers' books: what people sent, how often it was tried, what the bot sent.

A journal that only grows. ``what`` of an entry is ``came`` (a person sent something),
``tried`` (a webhook and its status, 0 for no answer), ``confirmed`` (updates below a
polling offset), ``accepted`` (a request of the bot that was carried out), ``answered``
(an automatic answer of the provider) or ``erased`` (a copy that the bot had deleted).
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SENDS = frozenset(
    {
        *("sendmessage", "senddocument", "sendphoto"),
        *("answercallbackquery", "deletemessages", "deletemessage"),
    }
)
"""What of the Bot API leaves something behind at the provider."""


@dataclass
class Books:
    """All entries, oldest first; each has a number ``n`` (from 1) and a time ``at``."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def _write(self, what: str, **rest: object) -> None:
        number = len(self.entries) + 1
        self.entries.append({"n": number, "what": what, "at": time.time(), **rest})

    def came(
        self,
        channel: str,
        phone: str,
        id_: object,
        kind: str,
        text: str,
        *,
        files: int = 0,
    ) -> None:
        """Write down what a person sent; ``id_`` is an update's number or a SID."""
        self._write(
            "came",
            channel=channel,
            phone=phone,
            id=str(id_),
            kind=kind,
            text=text,
            files=files,
        )

    def tried(self, channel: str, id_: object, status: int, fault: str) -> None:
        """Write down one attempt to hand over what came, and how it was disturbed."""
        self._write("tried", channel=channel, id=str(id_), status=status, fault=fault)

    def confirmed(self, ids: Iterable[int]) -> None:
        """Write down which updates the bot confirmed by its offset."""
        if found := [str(one) for one in ids]:
            self._write("confirmed", ids=found)

    def accepted(
        self, api: str, method: str, phone: str, id_: object, text: str, **rest: object
    ) -> None:
        """Write down a request that was carried out; ``answer`` says what became of that."""
        self._write(
            "accepted",
            api=api,
            method=method,
            phone=phone,
            id=str(id_),
            text=text,
            **rest,
        )

    def answered(self, phone: str, text: str) -> None:
        """Write down what the provider said by itself."""
        self._write("answered", phone=phone, text=text)

    def erased(self, id_: str) -> None:
        """Write down that a copy is gone."""
        self._write("erased", id=id_)
