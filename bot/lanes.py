"""What waits for a thread of the writer, and which calls share a commit.

A person's messages always take the same lane, so they stay in order.
"""

import asyncio
import contextlib
import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

BATCH = 64


@dataclass(slots=True, eq=False)
class Call:
    """One verb that waits for its transaction, and whoever awaits the result."""

    verb: Callable[[Session], Any]
    handles: tuple[bytes, ...]
    spare: Callable[[Session, BaseException], Any] | None
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Lane:
    """What one thread has to do, in order; None is the end of it.

    ``held``: a verb that ended a batch of messages and runs alone after it.
    """

    calls: queue.Queue[Call | None]
    held: Call | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return self.held is None and self.calls.empty()

    def take_held(self) -> Call | None:
        """Take out the verb that was held, if there is one."""
        held, self.held = self.held, None
        return held

    def batch(self, first: Call) -> list[Call]:
        """Return who shares a commit with the first; a verb shares it with nobody."""
        batch = [first]
        while (
            first.handles
            and len(batch) < BATCH
            and (message := self._next_message()) is not None
        ):
            batch.append(message)
        return batch

    def _next_message(self) -> Call | None:
        """Take out what comes next, if that is a message; a verb is held."""
        try:
            call = self.calls.get_nowait()
        except queue.Empty:
            return None
        if call is None:
            self.calls.put(None)
        elif not call.handles:
            self.held = call
        else:
            return call
        return None

    def drain(self) -> list[Call]:
        """Take out everybody who waits: each would wait as long again for nothing."""
        found: list[Call] = []
        with contextlib.suppress(queue.Empty):
            while (call := self.calls.get_nowait()) is not None:
                found.append(call)
            self.calls.put(None)
        return found
