"""From a provider's raw message to a commit; webhooks and the poller both come here."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot import logs
from bot.channels import base
from bot.metrics import Intake as Counted
from bot.metrics import Metrics
from bot.writer import StoreUnavailable, Writer
from handlers import inbox, receipts
from handlers.errors import NotReady
from handlers.inbox import Outcome
from handlers.messages import Incoming, Proof
from handlers.office import Office
from handlers.receipts import Opening, Question
from handlers.turning import names
from storage import transactions
from storage.words import Channel

_COUNTED = {
    Outcome.TAKEN: Counted.TAKEN,
    Outcome.REPEAT: Counted.REPEAT,
    Outcome.QUARANTINED: Counted.QUARANTINED,
}


class Intake:
    """Takes messages one by one; ``hashing`` are the threads that may be slow."""

    def __init__(
        self,
        writer: Writer,
        office: Office,
        *,
        metrics: Metrics,
        hashing: Executor,
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._office = office
        self._metrics = metrics
        self._hashing = hashing
        self._clock = clock

    async def take(
        self, channel: base.Channel[Any], raw: Mapping[str, Any] | bytes, body: bytes
    ) -> None:
        """Make a message durable with its answers, or put it into quarantine.

        ``raw`` is what the channel parses, ``body`` the bytes to keep if it cannot.
        Raises StoreUnavailable when nothing could be written.
        """
        try:
            found = channel.parse(raw, now=self._clock())
        except base.Unparseable as error:
            await self.keep_aside(channel.name, body, error.code)
            return
        for incoming in found:
            outcome = await self._receive(incoming, body)
            self._metrics.came_in(channel.name, _COUNTED[outcome])

    async def keep_aside(self, channel: Channel, body: bytes, reason: str) -> None:
        """Put bytes that nobody understands into quarantine; ``reason`` is a code.

        Raises StoreUnavailable where they cannot be kept, so that they come again.
        """
        try:
            await self._writer.run(
                inbox.quarantine, self._office, body, reason, now=self._clock()
            )
        except NotReady:
            raise StoreUnavailable from None
        self._metrics.came_in(channel, Counted.QUARANTINED)
        logs.event("quarantine.kept", level="warning", channel=channel)

    async def _receive(self, incoming: Incoming, body: bytes) -> Outcome:
        now = self._clock()

        def spare(session: Session, error: BaseException) -> Outcome:
            logs.failure("incoming.failed", error, channel=incoming.channel)
            reason = type(error).__name__
            return inbox.set_aside(
                session, self._office, incoming, body, reason, now=now
            )

        try:
            opening = await self._open(incoming, now)
        except Exception as error:  # noqa: BLE001 - told apart here
            if transactions.classify(error) is not transactions.Failure.MESSAGE:
                raise StoreUnavailable from None
            try:
                return await self._writer.run(spare, error)
            except NotReady:
                raise StoreUnavailable from None

        def verb(session: Session) -> Outcome:
            return inbox.receive(session, self._office, incoming, opening, now=now)

        return await self._writer.run_message(
            verb, handles=names(self._office, incoming), spare=spare
        )

    async def _open(self, incoming: Incoming, now: datetime) -> Opening:
        """Try the receipt in a message, off the loop and outside any transaction.

        Reading and hashing have threads of their own, so that a flood of codes holds up
        nobody who merely writes.
        """
        if not inbox.may_hold_receipt(incoming):
            return Opening(Proof.NONE)
        asked = await asyncio.to_thread(self._look, incoming, now)
        if asked is None:
            return Opening(Proof.NONE)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hashing, self._try, asked, now)

    def _look(self, incoming: Incoming, now: datetime) -> Question | None:
        with self._writer.database.reading() as session:
            return inbox.look(session, self._office, incoming, now=now)

    def _try(self, asked: Question, now: datetime) -> Opening:
        return receipts.open_with(self._office, asked, now=now)
