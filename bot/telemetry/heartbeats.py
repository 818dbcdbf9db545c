"""Heartbeats: each loop beats at every turn; ``unheard`` names those that stopped."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Beat = Callable[[], None]
SILENT: Final[Mapping[str, float]] = {
    "delivery": 60.0,
    "receipts": 60.0,
    "media": 900.0,
    "poller": 180.0,
}
"""Seconds after which a loop that said nothing stands still: a slow file, a long poll."""


def unheard() -> None:
    """Beat where nobody listens."""


@dataclass(slots=True)
class Beats:
    """When each loop turned last, in monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _heard: dict[str, float] = field(default_factory=dict)

    def expect(self, name: str) -> Beat:
        """Return what a loop calls at every turn; from now on it must."""
        self.beat(name)
        return lambda: self.beat(name)

    def beat(self, name: str) -> None:
        """Note that a loop turned."""
        self._heard[name] = self.clock()

    def late(self) -> list[str]:
        """Return the loops that did not turn for too long."""
        now = self.clock()
        return [
            name
            for name, at in self._heard.items()
            if now - at > SILENT.get(name.partition(".")[0], 60.0)
        ]
