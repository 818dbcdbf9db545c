"""Codes that wait to be tried: one place a contact, in turn, bounded in all.

Trying a code is slow on purpose. Whoever sends many waits for themself: a contact has one
try that waits or runs, the contacts take turns, and what finds no place is told to come
again, at once. Nobody is locked out; nobody waits here but who sent a code.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
PLACES = 32
"""Contacts whose try waits or runs."""
BEHIND = 2
"""Tries of one contact: the one in its place, and one behind it."""
PATIENCE = 3.0
"""Seconds to wait for a turn: less than after which a door would seem slow (``crowd``)."""


@dataclass(slots=True)
class _Place:
    own: asyncio.Lock = field(default_factory=asyncio.Lock)
    tries: int = 0


class Proving:
    """Runs proofs in ``hashing``, one at a time, so that receipts are made beside it."""

    def __init__(self, hashing: Executor) -> None:
        self._hashing = hashing
        self._turn = asyncio.Lock()
        self._places: dict[bytes, _Place] = {}

    @property
    def waiting(self) -> int:
        """Return how many tries wait or run."""
        return sum(place.tries for place in self._places.values())

    async def prove(self, name: bytes, proof: Callable[[], T]) -> T | None:
        """Run a contact's proof in its turn; None where it found no place or no turn.

        ``name`` is the contact's keyed name.
        """
        place = self._places.get(name)
        if place is None:
            if len(self._places) >= PLACES:
                return None
            place = self._places[name] = _Place()
        if place.tries >= BEHIND:
            return None
        place.tries += 1
        try:
            return await self._in_turn(place, proof)
        finally:
            place.tries -= 1
            if not place.tries:
                del self._places[name]

    async def _in_turn(self, place: _Place, proof: Callable[[], T]) -> T | None:
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(PATIENCE):
                    await held.enter_async_context(place.own)
                    await held.enter_async_context(self._turn)
            except TimeoutError:
                return None
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._hashing, proof)
