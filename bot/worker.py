"""Durable work: claims the jobs that are due, does them at once, waits for the next.

What the two workers share; what a job needs is theirs (``bot/receipts.py``,
``bot/media.py``).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from bot import logs
from bot.writer import StoreUnavailable, Writer
from handlers.office import Office
from storage import jobs
from storage.jobs import Claimed
from storage.words import JobKind

_LOOK_SECONDS = 5.0


class Worker(ABC):
    """Call ``notify`` after every commit. Kinds are claimed in order, ``at_once`` each."""

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

    @abstractmethod
    async def work(self, job: Claimed) -> None:
        """Do one job and finish it, or put it back; what it raises leaves it to its lease."""

    def notify(self) -> None:
        """Look whether something is due; our own claims are no news."""
        if not self._own:
            self._bell.set()

    async def run(self) -> None:
        """Work until cancelled."""
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
        """Do what is due now; False when nothing was."""
        self._own += 1
        try:
            due = [job for kind in self.kinds for job in await self._claim(kind)]
        except StoreUnavailable:
            return False
        finally:
            self._own -= 1
        await asyncio.gather(*(self._try(job) for job in due))
        return bool(due)

    async def _try(self, job: Claimed) -> None:
        try:
            await self.work(job)
        except StoreUnavailable:
            return
        except Exception as error:  # noqa: BLE001 - one strange job must not stop the others
            logs.failure(f"{self.name}.failed", error)

    async def _claim(self, kind: JobKind) -> list[Claimed]:
        now = self._clock()
        if not await asyncio.to_thread(self._is_due, kind, now):
            return []
        return await self._writer.run(
            jobs.claim, self._office.keys, kind, limit=self.at_once, now=now
        )

    def _is_due(self, kind: JobKind, now: datetime) -> bool:
        try:
            with self._writer.database.reading() as session:
                due = jobs.next_due(session, kind)
        except Exception:  # noqa: BLE001 - the store is away; looked at again soon
            return False
        return due is not None and due <= now
