"""One letter's departure: it is sent, or what its error asks for is done."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.channels import base
from bot.delivery.ledger import Ledger, departure_of
from bot.delivery.line import Held, Line
from bot.delivery.outcomes import Ends
from bot.delivery.pace import backoff
from bot.delivery.repeats import Repeats
from bot.telemetry import logs
from bot.telemetry.breaker import FIRST_BUSY, Cause
from bot.telemetry.metrics import Departure
from storage import outbox
from storage.database import transactions
from storage.outbox import Claimed
from storage.words import Channel, LetterKind

SEND_SECONDS = 20.0
#: How often a letter may make us stumble, once in a lease, before its person's next one goes.
FAULTS = 5
#: A letter not begun by then is left to its lease: it must never be sent twice at once.
START_SECONDS = 30.0


class Departures:
    """Sends letters whose turn it is, and writes what became of each.

    ``went_out`` counts what became of each try, ``stood_still`` each time that a whole
    channel began to rest, and why.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        ends: Ends,
        went_out: Callable[[Channel, Departure], None],
        stood_still: Callable[[Channel, Cause], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ends = ends
        self._count = went_out
        self._stood_still = stood_still
        self._repeats = Repeats()

    async def depart(self, line: Line, held: Held) -> None:
        """Send a letter that may go now, and write what became of it."""
        claimed, channel = held.claimed, line.sender.name
        if (unsent := self._unsent(claimed)) is not None:
            await self._ledger.finish(self._ends.dead, claimed, now=self._clock())
            self._count(channel, unsent)
            return
        try:
            sent = await self._send(line, claimed, held.began)
        except base.SendError as error:
            await self._refused(line, claimed, error)
            return
        except Exception as error:
            fault = transactions.classify(error) is transactions.Failure.MESSAGE
            if not fault or claimed.attempts < FAULTS:
                raise  # left to its lease
            await self._refused(line, claimed, base.Never("delivery.fault"))
            logs.failure("delivery.fault", error, channel=channel)
            return
        if sent is None:
            return
        self._repeats.sent(claimed, self._clock())
        line.breaker.answered(asyncio.get_running_loop().time())
        line.pace.went_well()
        await self._ledger.took(self._ends, claimed, sent, now=self._clock())
        self._count(channel, Departure.SENT)

    def _unsent(self, claimed: Claimed) -> Departure | None:
        """Return why a letter is not even tried; None: it is."""
        if claimed.expires <= self._clock():
            return Departure.EXPIRED
        too_often = self._repeats.too_often(claimed, self._clock())
        return Departure.REPEATED if too_often else None

    async def _send(
        self, line: Line, claimed: Claimed, began: datetime
    ) -> base.Sent | None:
        """Send, or leave the letter to its lease (None) when it is late for that.

        A process that was suspended wakes up here: the letter may be another's by now.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if claimed.doubtful:
                    letter, now = claimed.letter, self._clock()
                    if found := await self._ledger.find(line.sender, letter, now):
                        return found
                if (self._clock() - began).total_seconds() > START_SECONDS:
                    return None
                return await line.sender.send(claimed.letter)
        except TimeoutError:
            raise base.Doubtful("timeout") from None

    async def _refused(
        self, line: Line, claimed: Claimed, error: base.SendError
    ) -> None:
        now = self._clock()
        self._learn(line, claimed, error)
        if (
            isinstance(error, base.Unreachable)
            and claimed.letter.kind != LetterKind.ACK
        ):
            told = await self._ledger.finish(
                self._ends.unreachable, claimed, reason=error.code, now=now
            )
            if told is False:
                logs.event(
                    "delivery.not_authentic", level="error", channel=line.sender.name
                )
        elif isinstance(error, base.Later):
            await self._ledger.finish(
                outbox.later,
                claimed,
                due=now + timedelta(seconds=_wait(line, claimed, error)),
                doubtful=claimed.doubtful or isinstance(error, base.Doubtful),
                tried=not isinstance(error, base.Busy),
            )
        else:
            await self._ledger.finish(
                self._ends.failed, claimed, reason=error.code, now=now
            )
        self._count(line.sender.name, departure_of(error))

    def _learn(self, line: Line, claimed: Claimed, error: base.SendError) -> None:
        """Let the whole channel rest where the error says more than about one letter."""
        now, breaker = asyncio.get_running_loop().time(), line.breaker
        rest = 0.0
        match error:
            case base.Misconfigured():
                if rest := breaker.refused(now):
                    logs.failure(
                        "delivery.misconfigured", error, channel=line.sender.name
                    )
            case base.Busy():
                person = claimed.order_name
                if rest := breaker.busy(person, error.after, now, wide=error.wide):
                    line.pace.slow_down()
            case base.Away() | base.Doubtful():
                rest = breaker.away(now)
            case _:
                breaker.answered(now)
        if rest and breaker.cause is not None:
            self._stood_still(line.sender.name, breaker.cause)


def _wait(line: Line, claimed: Claimed, error: base.Later) -> float:
    """Return after how many seconds a letter that was not taken is due again."""
    if error.after is not None:
        return error.after
    if isinstance(error, base.Misconfigured | base.Busy):
        return line.breaker.pause or FIRST_BUSY
    return backoff(claimed.attempts)
