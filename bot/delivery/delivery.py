"""Delivery: claims due letters and lets those depart whose turn it is.

One loop a channel (``bot/delivery/line.py``), so that a dead provider never slows another; within
a channel people are served at once, each in order, because only a person's oldest letter
may be claimed. The most urgent go first, and whoever is told to wait waits without
losing a try.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.channels import base
from bot.delivery.departures import Departures
from bot.delivery.ledger import STORE_SECONDS, Ledger
from bot.delivery.line import OLDEST_EVERY, Held, Line
from bot.delivery.outcomes import Ends
from bot.delivery.pace import Pace
from bot.telemetry import logs
from bot.telemetry.breaker import Cause
from bot.telemetry.heartbeats import Beat, unheard
from bot.telemetry.metrics import Departure
from bot.writer import StoreUnavailable, Writer
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.outbox import Claimed
from storage.words import Channel


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
        self._departures = Departures(
            self._ledger,
            clock=clock,
            ends=ends,
            went_out=went_out,
            stood_still=stood_still,
        )
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
            task = asyncio.create_task(self._departures.depart(line, held))
            line.under_way.add(task)
            task.add_done_callback(functools.partial(self._done, line))
        for patient, seconds in line.patient(loop.time()):
            await self._put_back(patient, seconds)
        looks = line.news or line.look_at <= now
        return min(wait, line.worth_claiming(now) if looks else line.look_at - now)

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
