"""Delivery: claims due letters, sends them, and does what each error asks for.

One loop a channel (``bot/delivery/line.py``), so that a dead provider never slows another; within
a channel people are served at once, each in order, because only a person's oldest letter
may be claimed. The most urgent go first, and whoever is told to wait waits without
losing a try.

Long because claim, send and what each error asks for are one loop, read together.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.channels import base
from bot.delivery.ledger import STORE_SECONDS, Ledger, departure_of
from bot.delivery.line import OLDEST_EVERY, Held, Line
from bot.delivery.outcomes import Ends
from bot.delivery.pace import Pace, backoff
from bot.delivery.repeats import Repeats
from bot.telemetry import logs
from bot.telemetry.breaker import FIRST_BUSY, Cause
from bot.telemetry.heartbeats import Beat, unheard
from bot.telemetry.metrics import Departure
from bot.writer import StoreUnavailable, Writer
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.outbox import Claimed
from storage.words import Channel, LetterKind

SEND_SECONDS = 20.0
#: How often a letter may make us stumble, once in a lease, before its person's next one goes.
FAULTS = 5
#: A letter not begun by then is left to its lease: it must never be sent twice at once.
START_SECONDS = 30.0


class Delivery:
    """Sends what lies in the outbox. ``notify`` is to be called after every commit.

    ``longest_wait`` is how long (in seconds) a letter that another process committed may
    go unseen. ``went_out`` counts what became of each try, ``stood_still`` each time that
    a whole channel began to rest, and why.
    """

    def __init__(
        self,
        writer: Writer,
        keys: ServerKeys,
        channels: Sequence[base.Sender],
        *,
        clock: Callable[[], datetime],
        ends: Ends,
        went_out: Callable[[Channel, Departure], None],
        stood_still: Callable[[Channel, Cause], None] = lambda *_: None,
        longest_wait: float = 5.0,
    ) -> None:
        self._ledger = Ledger(writer, keys, self._ring)
        self._keys = keys
        self._clock = clock
        self._ends = ends
        self._count = went_out
        self._stood_still = stood_still
        self._repeats = Repeats()
        self._longest_wait = longest_wait
        self.lines = [Line(sender, Pace(sender.limits)) for sender in channels]
        self._stopping = False
        self.beat: Beat = unheard

    def notify(self) -> None:
        """Look into the outbox; a commit of our own is no news and wakes nobody."""
        self._ledger.notify()

    async def run(self) -> None:
        """Deliver until ``stop``; letters under way are finished first."""
        await asyncio.gather(*(self._run(line) for line in self.lines))

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping = True
        self._ring()

    def _ring(self) -> None:
        for line in self.lines:
            line.ring()

    async def _run(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            self.beat()
            line.bell.clear()
            wait = line.breaker.rest(loop.time())
            if wait > 0:
                await self._let_go(line)
            else:
                wait = await self._step(line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(wait, self._longest_wait))):
                    await line.bell.wait()
        await self._let_go(line)
        if line.under_way:
            await asyncio.wait(line.under_way)

    async def _step(self, line: Line) -> float:
        """Start who may go; return how many seconds to wait for more."""
        loop = asyncio.get_running_loop()
        room = line.room(loop.time())
        if room > 0 and (line.news or loop.time() >= line.look_at):
            try:
                await self._fill(line, room)
            except StoreUnavailable:
                return STORE_SECONDS
        while True:
            now = loop.time()
            held, wait = line.following(now)
            if held is None:
                break
            line.take(held, now)
            task = asyncio.create_task(self._deliver(line, held))
            line.under_way.add(task)
            task.add_done_callback(functools.partial(self._done, line))
        for patient, seconds in line.patient(loop.time()):
            await self._put_back(patient, seconds)
        again = line.worth_claiming(now) if line.news else line.look_at - now
        return min(wait, again)

    async def _fill(self, line: Line, room: int) -> None:
        """Claim what is due, the most urgent first, and learn when more will be."""
        now, line.news, line.claims = self._clock(), False, line.claims + 1
        try:
            claimed, due = await self._ledger.write(
                _claim,
                self._keys,
                line.sender.name,
                limit=room,
                oldest=line.claims % OLDEST_EVERY == 0,
                now=now,
            )
        except StoreUnavailable:
            line.news = True
            raise
        for one in claimed:
            line.hold(one, now)
        if len(claimed) == room:
            line.news = True
        # A due time that is over belongs to a letter that waits for an older one.
        soon = due is not None and due > now
        wait = (due - now).total_seconds() if due and soon else self._longest_wait
        line.look_at = asyncio.get_running_loop().time() + wait

    async def _let_go(self, line: Line) -> None:
        """Put back what is held: the channel rests, and another process may go on."""
        while line.held:
            await self._put_back(line.held.pop(), 0.0)

    async def _put_back(self, held: Held, seconds: float) -> None:
        """Put a letter back that was not tried; it loses nothing by that."""
        now = self._clock()
        await self._ledger.finish(
            outbox.later,
            held.claimed,
            due=now + timedelta(seconds=seconds),
            doubtful=held.claimed.doubtful,
            tried=False,
        )

    def _done(self, line: Line, task: asyncio.Task[None]) -> None:
        line.under_way.discard(task)
        line.ring()
        if not task.cancelled() and (error := task.exception()):
            logs.failure("delivery.fault", error, channel=line.sender.name)

    async def _deliver(self, line: Line, held: Held) -> None:
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
        elif isinstance(error, base.Later) and claimed.letter.kind != LetterKind.ACK:
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


def _claim(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    *,
    limit: int,
    oldest: bool,
    now: datetime,
) -> tuple[list[Claimed], datetime | None]:
    claimed = outbox.claim(session, keys, channel, limit=limit, oldest=oldest, now=now)
    due = outbox.next_due(session, channel) if len(claimed) < limit else None
    return claimed, due


def _wait(line: Line, claimed: Claimed, error: base.Later) -> float:
    """Return after how many seconds a letter that was not taken is due again."""
    if error.after is not None:
        return error.after
    if isinstance(error, base.Misconfigured | base.Busy):
        return line.breaker.pause or FIRST_BUSY
    return backoff(claimed.attempts)
