"""Purges what outlived its rule; writes tombstones and replays them after a restore."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from bot.retention import tombstones
from bot.telemetry import logs
from bot.writer import Writer
from handlers.office import Office
from handlers.retention import reports
from handlers.retention.reports import Walk
from handlers.work import Work
from storage.crypto.sealing import NotAuthentic
from storage.database.database import Database
from storage.evidence.blobs import Away, BlobStore
from storage.models import Tombstone
from storage.retention import tombstones as stored_tombstones

EVERY = timedelta(hours=1)
PAGES = 20
"""Pages of cases that one tick may purge; the next tick goes on behind them."""


@dataclass(slots=True)
class Replayed:
    """What a replay did: things erased again, and the lines that could not be applied."""

    erased: int = 0
    refused: list[int] = field(default_factory=list)
    held_up: int = 0


class Keeper:
    """Erases on schedule; ``blob_store`` holds the files, ``path`` tells of what is gone."""

    def __init__(
        self, writer: Writer, office: Office, *, blob_store: BlobStore, path: Path
    ) -> None:
        self._writer = writer
        self._office = office
        self._blob_store = blob_store
        self._path = path
        self._at = Walk()
        self._done: datetime | None = None

    async def run(self, now: datetime, *, leads: Callable[[], Awaitable[bool]]) -> int:
        """Purge what is due, at most once an hour; returns how many things went."""
        if self._done is not None and timedelta() <= now - self._done < EVERY:
            return 0
        if self._at == Walk():
            while await self._writer.act(self._office, now, reports.date_ends):
                continue
        count = 0
        for _ in range(PAGES):
            if not await leads():
                break
            page, following = await asyncio.to_thread(self._page, now)
            if page:
                gone = await self._writer.act(self._office, now, reports.purge, page)
                await asyncio.to_thread(remove, self._blob_store, gone.files)
                count += gone.count
            self._at = following or Walk()
            if following is None:
                self._done = now
                break
        return count

    async def export(self, now: datetime) -> int:
        """Write waiting tombstones into the file; returns how many. Raises OSError."""
        written = 0
        while rows := await asyncio.to_thread(self._waiting):
            lines = [stored_tombstones.line(self._office.keys, row) for row in rows]
            day = self._office.day(now)
            await asyncio.to_thread(tombstones.append, self._path, lines, day=day)
            ids = [row.id for row in rows]
            await self._writer.run(
                stored_tombstones.mark_written, self._office.keys, ids
            )
            written += len(rows)
        return written

    async def replay(self, now: datetime) -> Replayed:
        """Erase again what the file tells of and this store does not know."""
        told = await asyncio.to_thread(
            read, self._writer.database, self._office, self._path, now=now
        )
        done = Replayed(refused=told.refused)
        for stone in told.stones:
            try:
                gone = await self._writer.act(self._office, now, reports.replay, stone)
            except NotAuthentic:
                done.held_up += 1
                continue
            done.erased += gone.count
            await asyncio.to_thread(remove, self._blob_store, gone.files)
        return done

    async def replay_at_start(self, now: datetime) -> None:
        """Replay, and say in the log what came of it; nothing here keeps us from serving."""
        try:
            done = await self.replay(now)
        except Exception as error:  # noqa: BLE001 - the doctor names what is wrong with the file
            logs.failure("tombstones.failed", error)
            return
        if done.erased:
            logs.event("tombstones.replayed", count=done.erased)
        if done.refused or done.held_up:
            logs.event(
                "tombstones.refused",
                level="error",
                count=len(done.refused) + done.held_up,
            )

    def _page(self, now: datetime) -> tuple[list[bytes], Walk | None]:
        with self._writer.database.reading() as session:
            return reports.due(Work(session, self._office, now), self._at)

    def _waiting(self) -> list[Tombstone]:
        with self._writer.database.reading() as session:
            keys = self._office.keys
            return stored_tombstones.unwritten(session, keys, limit=tombstones.AT_ONCE)


def read(
    database: Database,
    office: Office,
    path: Path,
    *,
    now: datetime,
    everything: bool = False,
) -> tombstones.Told:
    """Read what the file tells and the store does not know; ``everything``: of any age.

    Raises OSError.
    """
    with database.reading() as session:
        known = stored_tombstones.known(session)
    since = date.min if everything else office.day(now) - office.backups
    return tombstones.read(path, office.keys, since=since, known=known)


def replay(
    database: Database,
    office: Office,
    path: Path,
    blob_store: BlobStore,
    *,
    now: datetime,
    everything: bool = False,
) -> Replayed:
    """Replay while no server runs, as a command does. Raises OSError."""
    told = read(database, office, path, now=now, everything=everything)
    done = Replayed(refused=told.refused)
    for stone in told.stones:
        try:
            with database.writing() as session:
                gone = reports.replay(Work(session, office, now), stone)
        except NotAuthentic:
            done.held_up += 1
            continue
        done.erased += gone.count
        remove(blob_store, gone.files)
    database.scrub()
    return done


def remove(blob_store: BlobStore, ids: Iterable[bytes]) -> None:
    """Delete files at once; what cannot be deleted now the sweep deletes."""
    for file_id in ids:
        try:
            blob_store.remove(file_id)
        except Away as error:
            logs.failure("scheduler.files", error)
            return
        except OSError as error:
            logs.failure("scheduler.files", error)
