"""Delivery's writes: claims and ends of letters, tried again while the store is away.

``notify`` wakes delivery after commits of others; a commit of its own wakes nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from bot.channels import base
from bot.delivery.outcomes import Ends
from bot.telemetry.metrics import Departure
from bot.writer import StoreUnavailable, Writer
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.database.transactions import Failure
from storage.letters import sent as sent_letters
from storage.letters.letter import Letter
from storage.outbox import Claimed

P = ParamSpec("P")
R = TypeVar("R")
STORE_SECONDS = 0.5
STORE_TRIES = 40
#: How far back a letter of doubtful end is looked for: longest backoff, lease and slack.
LOOK_BACK = timedelta(minutes=15)
REMEMBERED = 5000


class Ledger:
    """Writes through the writer; ``ring`` is called when somebody else committed."""

    def __init__(
        self, writer: Writer, keys: ServerKeys, ring: Callable[[], None]
    ) -> None:
        self._writer = writer
        self._keys = keys
        self._ring = ring
        self._taken: deque[str] = deque(maxlen=REMEMBERED)
        self._own, self._heard = 0, 0

    def notify(self) -> None:
        """Hear of a commit; one of our own wakes nobody."""
        if self._own:
            self._heard += 1
        else:
            self._ring()

    async def took(
        self, ends: Ends, claimed: Claimed, sent: base.Sent, *, now: datetime
    ) -> None:
        """Write that a provider took a letter, and remember its id there.

        Where that could not be written the id is not remembered: after its lease the letter
        is asked for again, and must be known for its own.
        """
        written = await self.finish(
            ends.sent,
            claimed,
            provider_id=sent.provider_id,
            final=sent.final,
            now=now,
        )
        if written is not None:
            self._taken.append(sent.provider_id)

    async def find(
        self, sender: base.Sender, letter: Letter, now: datetime
    ) -> base.Sent | None:
        """Ask the provider whether it took a letter; one that was another's does not count.

        The same words may have gone to the same person a moment ago, as a letter of its own.
        Raises what the provider does, and Later while the store cannot tell.
        """
        others = set(self._taken)
        while found := await sender.find(letter, now - LOOK_BACK, others):
            if not await self._is_anothers(letter, found.provider_id):
                return found
            others.add(found.provider_id)
            self._taken.append(
                found.provider_id
            )  # looked up once, even if this ends here
        return None

    async def _is_anothers(self, letter: Letter, provider_id: str) -> bool:
        try:
            return await asyncio.to_thread(self._departed, letter, provider_id)
        except Exception as error:
            if transactions.classify(error) is Failure.MESSAGE:
                raise
            raise base.Later("store", after=STORE_SECONDS) from None

    def _departed(self, letter: Letter, provider_id: str) -> bool:
        with self._writer.database.reading() as session:
            return sent_letters.knows(session, self._keys, letter.channel, provider_id)

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
