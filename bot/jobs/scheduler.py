"""Periodic work of one process: purge every minute, sweep every hour, the auditors' digest.

Only the holder of the lease works. APScheduler ticks in memory; nothing is stored in
it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.retention import sweeping
from bot.retention.keeper import Keeper
from bot.telemetry import logs
from bot.writer import StoreUnavailable, Writer
from handlers.conversation import flood
from handlers.office import Office
from handlers.retention import traces
from handlers.watch import canary, digest
from handlers.work import Work
from storage.audit import log
from storage.evidence.blobs import BlobStore
from storage.jobs import leases

R = TypeVar("R")
LEASE = "scheduler"
_LEASE_SECONDS = 120
_PURGE_SECONDS = 60
_SWEEP_SECONDS = 3600
_DIGEST_SECONDS = 300
_OLD_SECONDS = 3600
_LATE_SECONDS = 300


class Scheduler:
    """Purges, warns and sweeps while it holds the lease; ``holder`` names the process."""

    def __init__(
        self,
        writer: Writer,
        office: Office,
        *,
        holder: str,
        blob_store: BlobStore,
        keeper: Keeper,
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._office = office
        self._holder = holder
        self._blob_store = blob_store
        self._keeper = keeper
        self._clock = clock
        self._ticker = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={
                "misfire_grace_time": _LATE_SECONDS,
                "coalesce": True,
                "max_instances": 1,
            },
        )

    async def start(self) -> None:
        """Take the lease and start ticking; must be called on the loop.

        At once, not at the first tick: ``kentongan keys rotate`` must see a server that
        only just started. Without a store it is taken at the first tick that finds one.
        """
        with contextlib.suppress(StoreUnavailable):
            await self._leads()
        self._ticker.add_job(self.purge, "interval", seconds=_PURGE_SECONDS)
        self._ticker.add_job(self.sweep, "interval", seconds=_SWEEP_SECONDS)
        self._ticker.add_job(self.digest, "interval", seconds=_DIGEST_SECONDS)
        self._ticker.start()

    async def stop(self) -> None:
        """Stop ticking and give the lease back."""
        self._ticker.shutdown(wait=False)
        try:
            await self._writer.run(
                leases.let_go, LEASE, self._holder, now=self._clock()
            )
        except StoreUnavailable:
            return

    async def purge(self) -> None:
        """Let go what has outlived its rule, and warn of drafts that will."""
        try:
            if not await self._leads():
                return
            now = self._clock()
            await self._writer.act(self._office, now, traces.purge)
            await self._writer.act(self._office, now, canary.sweep)
            if await asyncio.to_thread(self._read, traces.to_be_warned):
                await self._writer.act(self._office, now, traces.warn_of_expiry)
            while await self._writer.act(self._office, now, flood.send_due):
                continue
            await self._keeper.run(now, leads=self._leads)
            if not self._writer.database.is_sqlite:
                await asyncio.to_thread(self._writer.database.scrub)
        except Exception as error:  # noqa: BLE001 - the ticker goes on; the next tick tries again
            logs.failure("scheduler.purge", error)
        await self._export()

    async def _export(self) -> None:
        """Tell the file of tombstones what was erased."""
        try:
            if await self._leads():
                await self._keeper.export(self._clock())
        except Exception as error:  # noqa: BLE001 - the ticker goes on; the next tick tries again
            logs.failure("scheduler.tombstones", error)

    async def sweep(self) -> None:
        """Remove drafts that nobody leads to, and files that no row names."""
        try:
            if await self._leads():
                await asyncio.to_thread(self._sweep)
                orphans = await asyncio.to_thread(self._read, traces.orphans)
                if orphans:
                    now = self._clock()
                    await self._writer.act(
                        self._office, now, traces.drop_orphans, orphans
                    )
        except Exception as error:  # noqa: BLE001 - the ticker goes on; the next tick tries again
            logs.failure("scheduler.sweep", error)

    async def digest(self) -> None:
        """Once a day tell the auditors the head of the log, and whether it is whole."""
        try:
            if not await self._leads():
                return
            due, broken = await asyncio.to_thread(self._look_at_log)
            if due:
                await self._writer.act(
                    self._office, self._clock(), digest.send, broken=broken
                )
        except Exception as error:  # noqa: BLE001 - the ticker goes on; the next tick tries again
            logs.failure("scheduler.digest", error)

    def _look_at_log(self) -> tuple[bool, int | None]:
        """Return whether the digest is due, and the first line that is not whole."""
        with self._writer.database.reading() as session:
            if not digest.is_due(Work(session, self._office, self._clock())):
                return False, None
            return True, log.verify(session, self._office.keys)

    async def _leads(self) -> bool:
        return await self._writer.run(
            leases.hold, LEASE, self._holder, seconds=_LEASE_SECONDS, now=self._clock()
        )

    def _read(self, ask: Callable[[Work], R]) -> R:
        """Ask on a connection that only reads: the writer need not wait for it."""
        with self._writer.database.reading() as session:
            return ask(Work(session, self._office, self._clock()))

    def _sweep(self) -> None:
        found = sweeping.look(self._writer.database, self._blob_store)
        old = time.time() - _OLD_SECONDS
        gone = [one.name for one in found.strays if one.since <= old]
        for name in gone:
            self._blob_store.discard(name)
        if gone:
            logs.event("files.swept", count=len(gone))
        if found.lost:
            logs.event("files.lost", level="error", count=found.lost)
