"""What delivery writes: claims and ends, waited for while the store is away.

A commit of delivery's own is no news to it; what others committed meanwhile is.
"""

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from bot.channels import base
from bot.metrics import Departure
from bot.writer import StoreUnavailable, Writer

P = ParamSpec("P")
R = TypeVar("R")
STORE_SECONDS = 0.5
STORE_TRIES = 40


class Ledger:
    """Writes through the writer; ``ring`` is called when somebody else committed."""

    def __init__(self, writer: Writer, ring: Callable[[], None]) -> None:
        self._writer = writer
        self._ring = ring
        self._own, self._heard = 0, 0

    def notify(self) -> None:
        """Hear of a commit; one of our own wakes nobody."""
        if self._own:
            self._heard += 1
        else:
            self._ring()

    async def finish(
        self,
        verb: Callable[Concatenate[Session, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R | None:
        """Write what became of a letter, as long as its lease may last."""
        for _ in range(STORE_TRIES):
            try:
                return await self.write(verb, *args, **kwargs)
            except StoreUnavailable:
                await asyncio.sleep(STORE_SECONDS)
        return None

    async def write(
        self,
        verb: Callable[Concatenate[Session, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run a verb; a notification that came meanwhile and was not its own rings."""
        self._own += 1
        try:
            result = await self._writer.run(verb, *args, **kwargs)
            self._heard -= 1
        finally:
            self._own -= 1
            if not self._own:
                if self._heard > 0:
                    self._ring()
                self._heard = 0
        return result


def departure_of(error: base.SendError) -> Departure:
    """Return how an error is counted."""
    match error:
        case base.Doubtful():
            return Departure.DOUBTFUL
        case base.Busy():
            return Departure.BUSY
        case base.Later():
            return Departure.LATER
        case base.Unreachable():
            return Departure.UNREACHABLE
        case _:
            return Departure.NEVER
