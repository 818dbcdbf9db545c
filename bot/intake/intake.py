"""From a provider's raw message to a commit; webhooks and the poller both come here."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Concatenate, ParamSpec

from bot.channels import base
from bot.intake.proving import Proving
from bot.telemetry import logs
from bot.telemetry.metrics import Intake as Counted
from bot.telemetry.metrics import Metrics
from bot.writer import StoreUnavailable, Writer
from handlers import inbox
from handlers.cases import receipts
from handlers.cases.receipts import Opening, Question
from handlers.conversation import receipt_lookup
from handlers.conversation.exchange import names
from handlers.errors import NotReady
from handlers.inbox import Outcome
from handlers.messages import Incoming, Proof
from handlers.office import Office
from handlers.quarantine import keeping
from handlers.work import Work
from storage.database import transactions
from storage.database.transactions import Store
from storage.words import Channel

P = ParamSpec("P")
_COUNTED = {
    Outcome.TAKEN: Counted.TAKEN,
    Outcome.REPEAT: Counted.REPEAT,
    Outcome.QUARANTINED: Counted.QUARANTINED,
}

_UNSTORABLE = "store.refuses"


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
        self.proving = Proving(hashing)
        self._clock = clock

    async def take(
        self, channel: base.Channel[Any], raw: Mapping[str, Any] | bytes, body: bytes
    ) -> None:
        """Make a message durable with its answers, or put it into quarantine.

        ``raw`` is what the channel parses, ``body`` the bytes to keep if it cannot.
        Raises StoreUnavailable when nothing could be written, and nothing else: whatever
        can never succeed is kept in quarantine.
        """
        try:
            found = channel.parse(raw, now=self._clock())
        except base.Unparseable as error:
            await self.keep(channel.name, body, error.code)
            return
        except Exception as error:  # noqa: BLE001 - a fault of ours must not come again
            await self.stumbled(channel.name, body, error)
            return
        for incoming in found:
            outcome = await self._receive(incoming, body)
            self._metrics.came_in(channel.name, _COUNTED[outcome])

    async def recover(
        self, channel: base.Channel[Any], form: bytes, *, sent: datetime
    ) -> bool:
        """Take a message that was found at the provider; False for one that is known.

        ``sent`` is when the provider had it. Raises StoreUnavailable.
        """
        try:
            (incoming,) = channel.parse(form, now=sent)
        except base.Unparseable as error:
            await self.keep(channel.name, form, error.code)
            return True
        except Exception as error:  # noqa: BLE001 - a fault of ours must not come again
            await self.stumbled(channel.name, form, error)
            return True
        outcome = await self._receive(replace(incoming, recovered=True), form)
        self._metrics.came_in(channel.name, _COUNTED[outcome])
        if outcome is not Outcome.REPEAT:
            self._metrics.came_in(channel.name, Counted.RECOVERED)
        return outcome is not Outcome.REPEAT

    async def stumbled(
        self, channel: Channel, body: bytes, error: BaseException
    ) -> None:
        """Keep what a fault of our own program cannot take.

        Raises StoreUnavailable, also where the fault is the store's or the machine's.
        """
        if transactions.classify(error) is not transactions.Failure.MESSAGE:
            raise StoreUnavailable from None
        logs.failure("incoming.failed", error, channel=channel)
        await self.keep(channel, body, type(error).__name__)

    async def give_up(
        self, channel: base.Channel[Any], raw: Mapping[str, Any] | bytes, body: bytes
    ) -> None:
        """Keep a message that cannot be stored although others can.

        The person is told where that is possible. Raises StoreUnavailable.
        """
        try:
            (incoming,) = channel.parse(raw, now=self._clock())
        except Exception:  # noqa: BLE001 - no matter why: only its bytes can be kept
            await self.keep(channel.name, body, _UNSTORABLE)
            return
        outcome = await self._keep_message(incoming, body, _UNSTORABLE)
        self._metrics.came_in(channel.name, _COUNTED[outcome])

    async def keep(self, channel: Channel, body: bytes, reason: str) -> None:
        """Keep bytes that nobody understands in quarantine; ``reason`` is a code.

        Raises StoreUnavailable where they cannot be kept, so that they come again.
        """
        await self._last_resort(keeping.keep, body, reason, channel=channel)
        self._metrics.came_in(channel, Counted.QUARANTINED)
        logs.event("quarantine.kept", level="warning", channel=channel)

    async def _receive(self, incoming: Incoming, body: bytes) -> Outcome:
        now = self._clock()

        def spare(store: Store, error: BaseException) -> Outcome:
            logs.failure("incoming.failed", error, channel=incoming.channel)
            work = Work(store, self._office, now)
            return self._keep_message_in(work, incoming, body, type(error).__name__)

        try:
            opening = await self.opening(incoming, now)
        except Exception as error:  # noqa: BLE001 - told apart here
            if transactions.classify(error) is not transactions.Failure.MESSAGE:
                raise StoreUnavailable from None
            logs.failure("incoming.failed", error, channel=incoming.channel)
            return await self._keep_message(incoming, body, type(error).__name__)

        def verb(store: Store) -> Outcome:
            return inbox.receive(Work(store, self._office, now), incoming, opening)

        return await self._writer.run_message(
            verb, handles=names(self._office, incoming), spare=spare
        )

    async def _keep_message(
        self, incoming: Incoming, body: bytes, reason: str
    ) -> Outcome:
        return await self._last_resort(self._keep_message_in, incoming, body, reason)

    async def _last_resort(
        self,
        verb: Callable[Concatenate[Work, P], Outcome],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Outcome:
        """Run the last resort; whatever it fails of, nothing was kept: it comes again."""
        try:
            now = self._clock()
            return await self._writer.act(self._office, now, verb, *args, **kwargs)
        except (NotReady, StoreUnavailable):
            raise StoreUnavailable from None
        except Exception as error:  # noqa: BLE001 - a 2xx would lose the message
            logs.failure("quarantine.failed", error)
            raise StoreUnavailable from None

    def _keep_message_in(
        self, work: Work, incoming: Incoming, body: bytes, reason: str
    ) -> Outcome:
        """Keep a message and say so; where that stumbles too, keep its bytes alone."""
        try:
            with work.store.begin_nested():
                return keeping.keep_message(work, incoming, body, reason)
        except Exception as error:
            fault = transactions.classify(error) is transactions.Failure.MESSAGE
            if isinstance(error, NotReady) or not fault:
                raise
            logs.failure("incoming.failed", error, channel=incoming.channel)
        return keeping.keep_silently(work, incoming, body, reason)

    async def opening(self, incoming: Incoming, now: datetime) -> Opening:
        """Try the receipt in a message, off the loop and outside any transaction.

        Reading and hashing have threads of their own, and a try has its contact's place, so
        that a flood of codes holds up nobody who merely writes.
        """
        if not receipt_lookup.may_hold_receipt(incoming):
            return Opening(Proof.NONE)
        asked = await asyncio.to_thread(self._look, incoming, now)
        if asked is None:
            return Opening(Proof.NONE)
        if not asked.code:
            return receipts.open_with(self._office, asked)
        name = names(self._office, incoming)[0]
        proof = partial(receipts.open_with, self._office, asked)
        return await self.proving.prove(name, proof) or Opening(Proof.BUSY)

    def _look(self, incoming: Incoming, now: datetime) -> Question | None:
        with self._writer.database.reading() as session:
            return receipt_lookup.look(Work(session, self._office, now), incoming)
