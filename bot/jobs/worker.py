"""The base of both workers: claims due jobs, and does each in the lane of its channel.

What a job needs is in ``bot/jobs/receipts.py`` and ``bot/evidence/fetching.py``. A lane
has so many places and no more; what finds none goes back unharmed, so a provider that
hangs holds up nobody but itself. A lane whose jobs fail one after the other rests, and
then tries one alone. What a kind has no room for is not claimed, and what went back is
claimed again when a place is free: a pile that waits costs nothing while it waits.
"""

import asyncio
import functools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
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
"""A job that waits longer for its place, while none is freed, goes back: its lease runs."""
LONGEST_WAIT = 9.0
"""A job that waits longer goes back in any case."""
LONGEST_SECONDS = 900.0
"""The more went back, the later they are due by themselves, but not later than this."""
REMEMBERED = 10_000
"""Jobs that a lane calls back by itself; what is beyond is due in its time."""


@dataclass(slots=True)
class Lane:
    """One kind of work on one channel: who is at work, who waits, whether it rests.

    ``waiting``: jobs and when each was claimed, in monotonic seconds. ``back``: ids of those
    that went back untried, in their order. ``stuck``: since some did, no place was freed;
    ``moved``: when one was freed last.
    """

    places: int
    breaker: Breaker = field(default_factory=Breaker)
    busy: int = 0
    waiting: deque[tuple[Claimed, float]] = field(default_factory=deque)
    back: dict[bytes, None] = field(default_factory=dict)
    stuck: bool = False
    moved: float = 0.0

    def free(self) -> bool:
        """Tell whether a job may begin; while it is only tried, one alone."""
        return self.busy < (1 if self.breaker.probing else self.places)

    def room(self, now: float) -> int:
        """Return how many jobs it is worth claiming: none, or half of AHEAD at least."""
        if self.stuck or self.breaker.rest(now) > 0:
            return 0
        if self.breaker.probing:
            return max(0, 1 - self.busy - len(self.waiting))
        room = AHEAD - len(self.waiting)
        return room if room >= AHEAD // 2 else 0

    def wait(self, job: Claimed, now: float) -> None:
        """Let a job wait for its place."""
        self.back.pop(job.id, None)
        self.waiting.append((job, now))

    def too_long(self, now: float) -> list[Claimed]:
        """Take out the jobs that had better be claimed anew when there is a place."""
        halts = self.stuck or self.breaker.rest(now) > 0
        found = []
        while self.waiting and (halts or self._is_late(self.waiting[0][1], now)):
            found.append(self.waiting.popleft()[0])
        self.stuck = not self.free() and (self.stuck or bool(found))
        return found

    def _is_late(self, since: float, now: float) -> bool:
        return now - max(since, self.moved) > WAIT_SECONDS or now - since > LONGEST_WAIT

    def goes_back(self, jobs_: Iterable[Claimed], now: float) -> float:
        """Remember jobs that go back; returns in how many seconds they are due again."""
        for job in jobs_:
            self.back[job.id] = None
        while len(self.back) > REMEMBERED:
            del self.back[next(iter(self.back))]
        late = min(LONGEST_SECONDS, FULL_SECONDS * len(self.back) / self.places)
        return max(FULL_SECONDS, late, self.breaker.rest(now))

    def wanted(self, now: float) -> list[bytes]:
        """Return whom to call back: as many as there is room for."""
        return list(islice(self.back, self.room(now)))


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

    def lanes_of(self, kind: JobKind) -> Iterable[Hashable]:
        """Return every lane that jobs of a kind may need."""
        return (kind,)

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
        """Begin what is due now, and put back what finds no place.

        False when there was nothing to claim or to call back.
        """
        self._own += 1
        now = asyncio.get_running_loop().time()
        try:
            found = [await self._claim(kind) for kind in self.kinds]
            for job in (job for claimed, _ in found for job in claimed):
                self._lane(self.lane_of(job)).wait(job, now)
            called = [await self._go_on(lane) for lane in self._lanes.values()]
        except StoreUnavailable:
            return False
        finally:
            self._own -= 1
        return any(called) or any(claimed or spoilt for claimed, spoilt in found)

    def _lane(self, name: Hashable) -> Lane:
        return self._lanes.setdefault(name, Lane(self.at_once))

    async def _go_on(self, lane: Lane) -> bool:
        """Begin what has a place; put back, untried, what would wait for too long.

        True when some that went back were called.
        """
        now = asyncio.get_running_loop().time()
        while lane.waiting and lane.free() and not lane.breaker.rest(now):
            self._begin(lane, lane.waiting.popleft()[0])
        back = lane.too_long(now)
        while len(lane.waiting) > AHEAD:
            back.append(lane.waiting.pop()[0])
        if back:
            due = self._clock() + timedelta(seconds=lane.goes_back(back, now))
            await self._writer.run(jobs.put_back, back, due=due)
        if ids := lane.wanted(now):
            await self._writer.run(jobs.call, ids, now=self._clock())
            for one in ids:
                lane.back.pop(one, None)
        return bool(ids)

    def _begin(self, lane: Lane, job: Claimed) -> None:
        lane.busy += 1
        task = asyncio.create_task(self._try(lane, job))
        self._under_way.add(task)
        task.add_done_callback(functools.partial(self._freed, lane))

    def _freed(self, lane: Lane, task: asyncio.Task[None]) -> None:
        lane.busy -= 1
        lane.stuck, lane.moved = False, asyncio.get_running_loop().time()
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
        """Claim what is due and has room; returns how many jobs did not open, too."""
        now, loop_time = self._clock(), asyncio.get_running_loop().time()
        room = max(self._lane(one).room(loop_time) for one in self.lanes_of(kind))
        if not room or not await asyncio.to_thread(self._is_due, kind, now):
            return [], 0
        found, spoilt = await self._writer.run(self._take, kind, limit=room, now=now)
        if spoilt:
            self.spoilt(spoilt)
            logs.event("job.spoilt", level="error", kind=kind, count=spoilt)
        return found, spoilt

    def _take(
        self, session: Session, kind: JobKind, *, limit: int, now: datetime
    ) -> tuple[list[Claimed], int]:
        spoilt: list[bytes] = []
        found = jobs.claim(
            session, self._office.keys, kind, limit=limit, now=now, spoilt=spoilt
        )
        return found, len(spoilt)

    def _is_due(self, kind: JobKind, now: datetime) -> bool:
        try:
            with self._writer.database.reading() as session:
                due = jobs.next_due(session, kind, now=now)
        except Exception:  # noqa: BLE001 - the store is away; looked at again soon
            return False
        return due is not None and due <= now
