"""Makes the receipts that are due: slow hashing in threads, a short verb for each.

A job is put by the submit's own transaction, so a crash in between loses nothing: the
next look finds it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta

from typing_extensions import override

from bot.jobs.worker import Worker
from bot.telemetry import logs
from bot.writer import StoreUnavailable, Writer
from handlers.cases import receipts
from handlers.office import Office
from handlers.work import Work
from storage.jobs import jobs
from storage.jobs.jobs import Claimed
from storage.words import JobKind

_AGAIN = timedelta(seconds=10)


class ReceiptMaker(Worker):
    """Call ``notify`` after every commit; ``hashing`` are the threads that may be slow."""

    kinds = (JobKind.RECEIPT,)
    at_once = 16
    name = "receipt"

    def __init__(
        self,
        writer: Writer,
        office: Office,
        *,
        hashing: Executor,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(writer, office, clock=clock)
        self._hashing = hashing

    @override
    async def work(self, job: Claimed) -> bool:
        """Make one receipt, or put it back to be made a little later."""
        loop = asyncio.get_running_loop()
        try:
            prepared = await loop.run_in_executor(self._hashing, self._prepare, job)
            if prepared is None:
                await self._writer.run(jobs.done, job)
                return True
            await self._writer.act(
                self._office, self._clock(), receipts.give, job, prepared
            )
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one bad receipt must not stop the others
            logs.failure("receipt.failed", error)
            due = self._clock() + _AGAIN * job.attempts
            await self._writer.run(jobs.later, job, due=due)
        return True

    def _prepare(self, job: Claimed) -> receipts.Prepared | None:
        with self._writer.database.reading() as session:
            number = receipts.case_number(
                Work(session, self._office, self._clock()), job.details
            )
        if number is None:
            return None
        report = bytes.fromhex(job.details["report"])
        return receipts.prepare(self._office, report, number)
