"""The base of both workers: claims due jobs, and does each in the lane of its channel.

What a job needs is in ``bot/jobs/receipts.py`` and ``bot/evidence/fetching.py``. A lane
has so many places and no more; what finds none goes back unharmed, so a provider that
hangs holds up nobody but itself. A lane whose jobs fail one after the other rests, and
then tries one alone.
"""

import asyncio
import functools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from sqlmodel import Session

from bot.telemetry import logs
from bot.telemetry.breaker import Breaker
from bot.telemetry.heartbeats import Beat, unheard
from bot.writer import StoreUnavailable, Writer
from handlers.office import Office
from storage.jobs import jobs
from storage.jobs.jobs import Claimed
from storage.words import JobKind

_LOOK_SECONDS = 5.0
AHEAD = 16
"""Jobs of a kind that are claimed together."""
FULL_SECONDS = 5.0
WAIT_SECONDS = 3.0
"""A job that waits longer for its place goes back for FULL_SECONDS: its lease runs."""


@dataclass(slots=True)
class Lane:
    """One kind of work on one channel: who is at work, who waits, whether it rests.

    ``waiting``: jobs and when each was claimed, in monotonic seconds.
    """

    places: int
    breaker: Breaker = field(default_factory=Breaker)
    busy: int = 0
    waiting: deque[tuple[Claimed, float]] = field(default_factory=deque)

    def free(self) -> bool:
        """Tell whether a job may begin; while it is only tried, one alone."""
        return self.busy < (1 if self.breaker.probing else self.places)

    def too_long(self, now: float) -> list[Claimed]:
        """Take out the jobs that waited for so long that they had better be claimed anew."""
        rests = self.breaker.rest(now) > 0
        found = []
        while self.waiting and (rests or now - self.waiting[0][1] > WAIT_SECONDS):
            found.append(self.waiting.popleft()[0])
        return found


class Worker(ABC):
    """Call ``notify`` after every commit. ``at_once`` jobs of a lane run together.

    ``spoilt`` counts jobs that do not open any more.
    """

    kinds: ClassVar[tuple[JobKind, ...]]
    at_once: ClassVar[int]
    name: ClassVar[str]
    """First word of this worker's events."""

    def __init__(
        self, writer: Writer, office: Office, *, clock: Callable[[], datetime]
    ) -> None:
        self._writer = writer
        self._office = office
        self._clock = clock
        self._bell = asyncio.Event()
        self._own = 0
        self._lanes: dict[Hashable, Lane] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self.beat: Beat = unheard
        self.spoilt: Callable[[int], None] = lambda _: None

    @abstractmethod
    async def work(self, job: Claimed) -> bool:
        """Do one job and finish it, or put it back; what it raises leaves it to its lease.

        False when the provider could not be reached, so that its lane may rest.
        """
        ...

    def lane_of(self, job: Claimed) -> Hashable:
        """Return what this job shares its places with."""
        return job.kind

    def notify(self) -> None:
        """Look whether something is due; our own claims are no news."""
        if not self._own:
            self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; what is under way then ends with it."""
        try:
            while True:
                self._bell.clear()
                self.beat()
                while await self._round():
                    self.beat()
                try:
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._bell.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _round(self) -> bool:
        """Begin what is due now, and put back what finds no place; False: nothing was."""
        self._own += 1
        now = asyncio.get_running_loop().time()
        try:
            found = [await self._claim(kind) for kind in self.kinds]
            for job in (job for claimed, _ in found for job in claimed):
                self._lane(job).waiting.append((job, now))
            for lane in self._lanes.values():
                await self._go_on(lane)
        except StoreUnavailable:
            return False
        finally:
            self._own -= 1
        return any(claimed or spoilt for claimed, spoilt in found)

    def _lane(self, job: Claimed) -> Lane:
        return self._lanes.setdefault(self.lane_of(job), Lane(self.at_once))

    async def _go_on(self, lane: Lane) -> None:
        """Begin what has a place; put back, untried, what would wait for too long."""
        now = asyncio.get_running_loop().time()
        back = lane.too_long(now)
        while lane.waiting and lane.free():
            self._begin(lane, lane.waiting.popleft()[0])
        while len(lane.waiting) > AHEAD:
            back.append(lane.waiting.pop()[0])
        if back:
            wait = max(FULL_SECONDS, lane.breaker.rest(now))
            due = self._clock() + timedelta(seconds=wait)
            await self._writer.run(jobs.put_back, back, due=due)

    def _begin(self, lane: Lane, job: Claimed) -> None:
        lane.busy += 1
        task = asyncio.create_task(self._try(lane, job))
        self._under_way.add(task)
        task.add_done_callback(functools.partial(self._freed, lane))

    def _freed(self, lane: Lane, task: asyncio.Task[None]) -> None:
        lane.busy -= 1
        self._under_way.discard(task)
        self._bell.set()

    async def _try(self, lane: Lane, job: Claimed) -> None:
        loop = asyncio.get_running_loop()
        try:
            answered = await self.work(job)
        except StoreUnavailable:
            return
        except Exception as error:  # noqa: BLE001 - one strange job must not stop the others
            logs.failure(f"{self.name}.failed", error)
            return
        if answered:
            lane.breaker.answered(loop.time())
        else:
            lane.breaker.away(loop.time())

    async def _claim(self, kind: JobKind) -> tuple[list[Claimed], int]:
        """Claim what is due; returns how many jobs did not open, too."""
        now = self._clock()
        if not await asyncio.to_thread(self._is_due, kind, now):
            return [], 0
        found, spoilt = await self._writer.run(self._take, kind, now=now)
        if spoilt:
            self.spoilt(spoilt)
            logs.event("job.spoilt", level="error", kind=kind, count=spoilt)
        return found, spoilt

    def _take(
        self, session: Session, kind: JobKind, *, now: datetime
    ) -> tuple[list[Claimed], int]:
        spoilt: list[bytes] = []
        found = jobs.claim(
            session, self._office.keys, kind, limit=AHEAD, now=now, spoilt=spoilt
        )
        return found, len(spoilt)

    def _is_due(self, kind: JobKind, now: datetime) -> bool:
        try:
            with self._writer.database.reading() as session:
                due = jobs.next_due(session, kind, now=now)
        except Exception:  # noqa: BLE001 - the store is away; looked at again soon
            return False
        return due is not None and due <= now
