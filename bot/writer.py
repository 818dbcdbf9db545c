"""The one door for writes: it knows transactions and nothing of messages.

``run`` queues a verb and waits for its commit. Calls that name ``handles`` are batched
(1..64, one commit) and keep each person's order; other verbs run alone in between. A
fault is cured as ``storage.database.transactions`` classifies it.
"""

import asyncio
import contextlib
import queue
import secrets
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from bot.lanes import Call, Lane
from handlers.office import Office
from handlers.work import Work
from storage.database import transactions
from storage.database.database import Database
from storage.database.transactions import Failure

P = ParamSpec("P")
R = TypeVar("R")
DEPTH = 4096
TRIES = 5
_BUSY_SECONDS, _GAP_SECONDS = 2.0, 0.12
_SCRUB_AGAIN = 0.05
_EACH_SECONDS, _LATELY = 0.01, 15
"""What a message takes as long as nobody knows, and of how many batches the middle one tells."""
_HELD = 0.9
"""Part of the store's own wait after which somebody else is said to hold it."""


class StoreUnavailable(Exception):
    """The store cannot be written now; nothing was lost, try again in a moment."""


class WriterFull(StoreUnavailable):
    """Too much waits to be written; try again in a moment."""


class Writer:
    """Threads that write; ``on_commit`` is called on the loop after every commit."""

    def __init__(
        self, database: Database, *, on_commit: Callable[[], None] | None = None
    ) -> None:
        self.database = database
        self.on_commit = on_commit
        self.batches: list[int] = []
        self._queues: list[queue.Queue[Call | None]] = [
            queue.Queue(DEPTH) for _ in range(database.writers)
        ]
        self._threads = [
            threading.Thread(
                target=self._work, args=(lane,), name=f"writer-{i}", daemon=True
            )
            for i, lane in enumerate(self._queues)
        ]
        self._scrub = threading.Event()
        self._next = 0
        self._each = _EACH_SECONDS

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is queued, then stop; blocks until the threads ended."""
        for lane in self._queues:
            lane.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def clean(self) -> bool:
        """Tell whether nothing of deleted rows is left behind (SQLite's log is empty)."""
        return not self._scrub.is_set()

    @property
    def waiting(self) -> int:
        """Return how many calls wait for their turn."""
        return sum(lane.qsize() for lane in self._queues)

    def seconds_for(self, calls: int) -> float:
        """Return how long so many messages take, by what they took of late."""
        return self._each * calls / len(self._queues)

    async def run(
        self,
        verb: Callable[Concatenate[Session, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run one verb alone in a transaction and return its result after the commit.

        Raises what the verb raises, StoreUnavailable, or WriterFull.
        """
        result: R = await self._submit(
            lambda session: verb(session, *args, **kwargs), (), None
        )
        return result

    async def act(
        self,
        office: Office,
        now: datetime,
        verb: Callable[Concatenate[Work, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run one verb of ``handlers`` alone in a transaction of its own; raises as ``run``."""
        return await self.run(
            lambda store: verb(Work(store, office, now), *args, **kwargs)
        )

    async def run_message(
        self,
        verb: Callable[[Session], R],
        *,
        handles: Sequence[bytes],
        spare: Callable[[Session, BaseException], R],
    ) -> R:
        """Run a message's verb, in a batch with others.

        ``handles`` are the person's keyed names; ``spare`` runs in a transaction of its
        own when the verb itself fails (quarantine).
        """
        result: R = await self._submit(verb, tuple(handles), spare)
        return result

    async def _submit(
        self,
        verb: Callable[[Session], Any],
        handles: tuple[bytes, ...],
        spare: Callable[[Session, BaseException], Any] | None,
    ) -> Any:  # noqa: ANN401 - typed by its two callers
        loop = asyncio.get_running_loop()
        call = Call(verb, handles, spare, loop.create_future(), loop)
        if handles:
            lane = self._queues[handles[0][-1] % len(self._queues)]
        else:
            lane = self._queues[self._next % len(self._queues)]
            self._next += 1
        try:
            lane.put_nowait(call)
        except queue.Full:
            raise WriterFull from None
        return await call.future

    def _work(self, calls: queue.Queue[Call | None]) -> None:
        lane, lately = Lane(calls), deque([_EACH_SECONDS] * _LATELY, _LATELY)
        busy_since = time.monotonic()
        while True:
            if lane.is_idle:
                busy_since = time.monotonic()
            first = lane.take_held() or self._following(calls)
            if first is None:
                return
            batch, began = lane.batch(first), time.monotonic()
            if not self._write(batch):
                self._refuse(lane.drain())
            if first.handles:
                lately.append((time.monotonic() - began) / len(batch))
                self._each = statistics.median(lately)
            busy_since = self._leave_gap(busy_since)

    def _following(self, calls: queue.Queue[Call | None]) -> Call | None:
        """Wait for the next call; clean up behind the last one while nothing comes."""
        while True:
            if self._scrub.is_set() and calls.empty():
                self._scrub_now()
            try:
                return calls.get(timeout=_SCRUB_AGAIN if self._scrub.is_set() else None)
            except queue.Empty:
                continue

    def _leave_gap(self, busy_since: float) -> float:
        """Let other processes write to an SQLite file that was busy for too long."""
        if (
            not self.database.is_sqlite
            or time.monotonic() - busy_since <= _BUSY_SECONDS
        ):
            return busy_since
        time.sleep(_GAP_SECONDS)
        return time.monotonic()

    def _scrub_now(self) -> None:
        self._scrub.clear()
        clean = False
        with contextlib.suppress(Exception):  # tried again; writes go on
            clean = self.database.scrub()
        if not clean:
            self._scrub.set()

    def _write(self, batch: list[Call]) -> bool:
        """Write a batch; False when somebody else holds the store for too long."""
        self.batches.append(len(batch))
        del self.batches[:-1000]
        ends = time.monotonic() + self.database.wait * _HELD
        error = self._attempt(batch)
        if error is None:
            self._resolve(batch)
            return True
        conflict = transactions.classify(error) is Failure.CONFLICT
        if conflict and time.monotonic() >= ends:  # somebody holds the store
            self._refuse(batch)
            return False
        for done, call in enumerate(batch, 1):
            self._alone(call, error if len(batch) == 1 else None, ends)
            self._resolve([call])
            if isinstance(call.error, StoreUnavailable):
                self._refuse(batch[done:])
                return time.monotonic() < ends
        return True

    def _refuse(self, batch: list[Call]) -> None:
        """Tell everybody at once that the store is away: they come again."""
        for call in batch:
            call.error = StoreUnavailable()
        if batch:
            self._resolve(batch)

    def _alone(self, call: Call, error: BaseException | None, ends: float) -> None:
        for attempt in range(TRIES + 1):
            error = error or self._attempt([call])
            if error is None:
                return
            failure = transactions.classify(error)
            if failure is Failure.MESSAGE:
                self._spare(call, error)
                return
            late = attempt == TRIES or time.monotonic() >= ends
            if failure is Failure.STORE or late:
                call.error = StoreUnavailable()
                return
            time.sleep(0.002 * 2**attempt + secrets.randbelow(10) / 1000)
            error = None

    def _spare(self, call: Call, error: BaseException) -> None:
        if call.spare is None:
            call.error = error
            return
        spare = call.spare
        rescue = Call(
            lambda s: spare(s, error), call.handles, None, call.future, call.loop
        )
        for _ in range(TRIES):
            second = self._attempt([rescue])
            if second is None:
                call.result = rescue.result
                return
            if transactions.classify(second) is not Failure.CONFLICT:
                break
        call.error = StoreUnavailable()

    def _attempt(self, batch: list[Call]) -> BaseException | None:
        try:
            with Session(self.database.write_engine, expire_on_commit=False) as session:
                transactions.lock_handles(
                    session.connection(),
                    (name for call in batch for name in call.handles),
                )
                for call in batch:
                    call.result = call.verb(session)
                    session.flush()
                session.commit()
            if self.database.is_sqlite:
                self._scrub.set()
        except Exception as error:  # noqa: BLE001 - classified by the caller
            return error
        return None

    def _resolve(self, batch: list[Call]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop ended; the commit stands
            batch[0].loop.call_soon_threadsafe(self._settle, batch)

    def _settle(self, batch: list[Call]) -> None:
        committed = False
        for call in batch:
            if call.future.done():
                continue
            if call.error is not None:
                call.future.set_exception(call.error)
            else:
                committed = True
                call.future.set_result(call.result)
        if committed and self.on_commit is not None:
            self.on_commit()
