"""Makes the receipts that are due: slow hashing in threads, a short verb for each.

A job is put by the submit's own transaction, so a crash in between loses nothing: the
next look finds it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta

from bot import logs
from bot.writer import StoreUnavailable, Writer
from handlers import receipts
from handlers.office import Office
from storage import jobs
from storage.jobs import Claimed
from storage.words import JobKind

_AT_ONCE = 16
_LOOK_SECONDS = 5.0
_AGAIN = timedelta(seconds=10)


class ReceiptMaker:
    """Call ``notify`` after every commit; ``hashing`` are the threads that may be slow."""

    def __init__(
        self,
        writer: Writer,
        office: Office,
        *,
        hashing: Executor,
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._office = office
        self._hashing = hashing
        self._clock = clock
        self._bell = asyncio.Event()
        self._own = 0

    def notify(self) -> None:
        """Look whether a receipt is due."""
        if not self._own:
            self._bell.set()

    async def run(self) -> None:
        """Make receipts until cancelled."""
        while True:
            self._bell.clear()
            while await self._round():
                pass
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def _round(self) -> bool:
        """Make what is due now; False when nothing was."""
        self._own += 1
        try:
            due = await self._claim()
        except StoreUnavailable:
            return False
        finally:
            self._own -= 1
        await asyncio.gather(*(self._make(job) for job in due))
        return bool(due)

    async def _claim(self) -> list[Claimed]:
        now = self._clock()
        with_due = await asyncio.to_thread(self._is_due, now)
        if not with_due:
            return []
        return await self._writer.run(
            jobs.claim, self._office.keys, JobKind.RECEIPT, limit=_AT_ONCE, now=now
        )

    def _is_due(self, now: datetime) -> bool:
        try:
            with self._writer.database.reading() as session:
                due = jobs.next_due(session, JobKind.RECEIPT)
        except Exception:  # noqa: BLE001 - the store is away; looked at again soon
            return False
        return due is not None and due <= now

    async def _make(self, job: Claimed) -> None:
        loop = asyncio.get_running_loop()
        try:
            prepared = await loop.run_in_executor(self._hashing, self._prepare, job)
            if prepared is None:
                await self._writer.run(jobs.done, job)
                return
            await self._writer.run(
                receipts.give, self._office, job, prepared, now=self._clock()
            )
        except StoreUnavailable:
            return
        except Exception as error:  # noqa: BLE001 - one bad receipt must not stop the others
            logs.failure("receipt.failed", error)
            due = self._clock() + _AGAIN * job.attempts
            await self._writer.run(jobs.later, job, due=due)

    def _prepare(self, job: Claimed) -> receipts.Prepared | None:
        with self._writer.database.reading() as session:
            number = receipts.case_number(session, self._office, job.details)
        if number is None:
            return None
        report = bytes.fromhex(job.details["report"])
        return receipts.prepare(self._office, report, number)
