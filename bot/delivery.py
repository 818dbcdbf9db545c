"""The way out: claims due letters, sends them, and does what each error asks for.

One loop a channel, so that a dead provider never slows another; within a channel people
are served at once, each in order, because only a person's oldest letter may be claimed.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from bot import logs
from bot.channels import base
from bot.ends import Ends
from bot.metrics import Departure
from bot.pace import Pace, backoff
from bot.writer import StoreUnavailable, Writer
from storage import outbox
from storage.keys import ServerKeys
from storage.outbox import Claimed
from storage.words import Channel, LetterKind

P = ParamSpec("P")
R = TypeVar("R")
SEND_SECONDS = 20.0
#: With the wait for the pace and for the answer, well inside the lease of 60 seconds.
PACE_SECONDS = 10.0
#: A letter not begun by then is left to its lease: it must never be sent twice at once.
START_SECONDS = 30.0
AT_ONCE = 32
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0
STORE_SECONDS = 0.5
STORE_TRIES = 40
#: How far back a letter of doubtful end is looked for: longest backoff, lease and slack.
LOOK_BACK = timedelta(minutes=15)


@dataclass(slots=True)
class _Line:
    """One channel's state: its pace, what is under way, and why it stands still."""

    sender: base.Sender
    pace: Pace
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    pause: float = 0.0
    paused_until: float = 0.0

    @property
    def room(self) -> int:
        """Return how many letters may be claimed now."""
        most = max(1, min(AT_ONCE, int(self.sender.limits.per_second * PACE_SECONDS)))
        return most - len(self.under_way)


class Delivery:
    """Sends what lies in the outbox. ``notify`` is to be called after every commit.

    ``longest_wait`` is how long (in seconds) a letter that another process committed may
    go unseen. ``went_out`` counts what became of each try.
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
        longest_wait: float = 5.0,
    ) -> None:
        self._writer = writer
        self._keys = keys
        self._clock = clock
        self._ends = ends
        self._count = went_out
        self._longest_wait = longest_wait
        self._lines = [_Line(sender, Pace(sender.limits)) for sender in channels]
        self._stopping = False
        self._own, self._heard = 0, 0

    def notify(self) -> None:
        """Look into the outbox; a commit of our own is no news and wakes nobody."""
        if self._own:
            self._heard += 1
        else:
            self._ring()

    async def run(self) -> None:
        """Deliver until ``stop``; letters under way are finished first."""
        await asyncio.gather(*(self._run(line) for line in self._lines))

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping = True
        self._ring()

    def _ring(self) -> None:
        for line in self._lines:
            line.bell.set()

    async def _run(self, line: _Line) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            line.bell.clear()
            wait = line.paused_until - loop.time()
            if wait <= 0 and line.room > 0:
                wait = await self._fill(line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(wait, self._longest_wait))):
                    await line.bell.wait()
        if line.under_way:
            await asyncio.wait(line.under_way)

    async def _fill(self, line: _Line) -> float:
        """Start what is due; return how many seconds to wait for more."""
        now = self._clock()
        try:
            claimed, due = await self._write(
                _claim, self._keys, line.sender.name, limit=line.room, now=now
            )
        except StoreUnavailable:
            return STORE_SECONDS
        for one in claimed:
            task = asyncio.create_task(self._deliver(line, one, now))
            line.under_way.add(task)
            task.add_done_callback(functools.partial(self._done, line))
        if claimed and line.room > 0:
            return 0.0
        # A due time that is over belongs to a letter that waits for an older one.
        late = due is None or due <= now
        return (
            self._longest_wait if late or due is None else (due - now).total_seconds()
        )

    def _done(self, line: _Line, task: asyncio.Task[None]) -> None:
        line.under_way.discard(task)
        line.bell.set()
        if not task.cancelled() and (error := task.exception()):
            logs.failure("delivery.fault", error, channel=line.sender.name)

    async def _deliver(self, line: _Line, claimed: Claimed, began: datetime) -> None:
        """Send a letter that was claimed when ``began``, and write what became of it."""
        if claimed.expires <= self._clock():
            await self._finish(self._ends.dead, claimed, now=self._clock())
            self._count(line.sender.name, Departure.EXPIRED)
            return
        loop = asyncio.get_running_loop()
        group = claimed.letter.to.startswith("-")
        await asyncio.sleep(
            line.pace.take(claimed.order_name, loop.time(), group=group)
        )
        try:
            sent = await self._send(line, claimed, began)
        except base.SendError as error:
            await self._refused(line, claimed, error)
            return
        if sent is None:
            return
        line.pause = 0.0
        await self._finish(
            self._ends.sent,
            claimed,
            provider_id=sent.provider_id,
            final=sent.final,
            now=self._clock(),
        )
        self._count(line.sender.name, Departure.SENT)

    async def _send(
        self, line: _Line, claimed: Claimed, began: datetime
    ) -> base.Sent | None:
        """Send, or leave the letter to its lease (None) when it is late for that.

        A process that was suspended wakes up here: the letter may be another's by now.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if claimed.doubtful:
                    since = self._clock() - LOOK_BACK
                    if found := await line.sender.find(claimed.letter, since):
                        return found
                if (self._clock() - began).total_seconds() > START_SECONDS:
                    return None
                return await line.sender.send(claimed.letter)
        except TimeoutError:
            raise base.Doubtful("timeout") from None

    async def _refused(
        self, line: _Line, claimed: Claimed, error: base.SendError
    ) -> None:
        now = self._clock()
        if isinstance(error, base.Misconfigured):
            self._stand_still(line, error)
        if (
            isinstance(error, base.Unreachable)
            and claimed.letter.kind != LetterKind.ACK
        ):
            told = await self._finish(
                self._ends.unreachable, claimed, reason=error.code, now=now
            )
            if told is False:
                logs.event(
                    "delivery.not_authentic", level="error", channel=line.sender.name
                )
        elif isinstance(error, base.Later) and claimed.letter.kind != LetterKind.ACK:
            seconds = backoff(claimed.attempts) if error.after is None else error.after
            if isinstance(error, base.Misconfigured):
                seconds = line.pause
            await self._finish(
                outbox.later,
                claimed,
                due=now + timedelta(seconds=seconds),
                doubtful=claimed.doubtful or isinstance(error, base.Doubtful),
                now=now,
            )
        else:
            await self._finish(self._ends.failed, claimed, reason=error.code, now=now)
        self._count(line.sender.name, _departure(error))

    def _stand_still(self, line: _Line, error: base.Misconfigured) -> None:
        """Give a provider that refuses our account a rest, longer each time."""
        now = asyncio.get_running_loop().time()
        if now >= line.paused_until:
            line.pause = min(LONGEST_PAUSE, line.pause * 2 or FIRST_PAUSE)
            line.paused_until = now + line.pause
            logs.failure("delivery.misconfigured", error, channel=line.sender.name)

    async def _finish(
        self,
        verb: Callable[Concatenate[Session, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R | None:
        """Write what became of a letter, as long as its lease may last."""
        for _ in range(STORE_TRIES):
            try:
                return await self._write(verb, *args, **kwargs)
            except StoreUnavailable:
                await asyncio.sleep(STORE_SECONDS)
        return None

    async def _write(
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


def _claim(
    session: Session, keys: ServerKeys, channel: Channel, *, limit: int, now: datetime
) -> tuple[list[Claimed], datetime | None]:
    claimed = outbox.claim(session, keys, channel, limit=limit, now=now)
    return claimed, outbox.next_due(session, channel)


def _departure(error: base.SendError) -> Departure:
    match error:
        case base.Doubtful():
            return Departure.DOUBTFUL
        case base.Later():
            return Departure.LATER
        case base.Unreachable():
            return Departure.UNREACHABLE
        case _:
            return Departure.NEVER
