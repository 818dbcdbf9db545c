"""The watcher: judges watches and levels by the rules of alarms, and tells the operators.

It depends on nothing that it watches: when the store is away the log line and the level
in ``/metrics`` still come, only the message to the admins waits. Of many processes the
one that leads tells (any, while none leads), so that a machine's own trouble is told by
the machine that has it and not contradicted by one that has not.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from bot.settings.sections import Settings
from bot.telemetry import logs
from bot.telemetry.breaker import Cause
from bot.telemetry.metrics import Level, Metrics
from bot.watch.alarms import Alarm, Board, Facts
from bot.watch.readiness import Readiness
from bot.writer import StoreUnavailable, Writer
from handlers.office import Office
from handlers.watch import alarms
from storage.jobs import leases, watches
from storage.jobs.watches import Watched
from storage.models import Watch
from storage.words import Channel

EVERY = 20.0
PATIENCE = 10.0
"""Seconds that the store may take; after that it is away, and the watcher goes on."""
SCHEDULER = "scheduler"
STILL = timedelta(minutes=2)
"""A channel of which nobody says for so long that it stands still goes again."""
_STORE = frozenset({"store", "writer", "schema"})
_CANARIES = 3
"""So many canaries may be missing, and never less than half an hour."""
_LEAST = timedelta(minutes=30)


_Read: TypeAlias = tuple[Mapping[str, Watch] | None, Mapping[str, float]]


@dataclass(slots=True)
class Watching:
    """Looks every 20 seconds; ``levels`` reads what ``/metrics`` tells."""

    writer: Writer
    office: Office
    settings: Settings
    levels: Callable[[], Mapping[Level, float]]
    readiness: Readiness
    holder: str
    clock: Callable[[], datetime]
    standing: Callable[[], Mapping[Channel, Cause | None]] = dict
    board: Board = field(default_factory=Board)
    _began: datetime | None = None
    _known: Mapping[str, Watch] = field(default_factory=dict)
    _leads: bool = False
    _reading: asyncio.Task[_Read] | None = None
    _grew: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    @property
    def rings(self) -> Mapping[Alarm, datetime]:
        """Return the alarms that ring, and since when."""
        return dict(self.board.rings)

    def feed(self, metrics: Metrics) -> None:
        """Tell alarms and failures to ``/metrics``."""
        metrics.tell(
            "alarm", "1 while an alarm rings, by its name", "name", self._alarms
        )
        metrics.tell(
            "watch_failures",
            "Failures in a row of what is watched",
            "watch",
            self._failures,
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Look once, and tell what changed."""
        unready = await self.readiness.ask()
        facts = await self._facts(unready)
        begun, over = self.board.look(facts)
        for name in begun:
            logs.event("alarm.rings", level="error", check=name)
        for name in over:
            logs.event("alarm.over", level="warning", check=name)
        if facts.watches is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._note_channels(facts.watches, facts.now)
                if self._leads:
                    await self._tell(facts)
        except (StoreUnavailable, TimeoutError):
            return
        except Exception as error:  # noqa: BLE001 - the watcher goes on; it is tried again
            logs.failure("alarm.failed", error)

    async def _note_channels(self, known: Mapping[str, Watch], now: datetime) -> None:
        """Write down which channels stand still; who leads ends what nobody says any more."""
        for channel, cause in self.standing().items():
            name = f"{channel}.sending"
            row = known.get(name)
            if channel is Channel.CANARY:
                continue
            if cause is not None:
                await self.writer.run(watches.bad, name, cause.value, now=now)
            elif row is not None and row.bad is not None and self._is_still(row, now):
                await self.writer.run(watches.good, name, now=now)

    def _is_still(self, row: Watch, now: datetime) -> bool:
        """Tell whether no process has said for a while that this fails."""
        count, since = self._grew.get(row.name, (-1, now))
        if count != row.failures:
            since = now
            self._grew[row.name] = (row.failures, since)
        return now - since >= STILL

    async def _tell(self, facts: Facts) -> None:
        """Let the admins know, where they do not yet; a store that is away is tried again."""
        known = facts.watches or {}
        for name in self.board.rings:
            row = known.get(watches.ALARM + name)
            if row is None or row.bad is None or _is_due(row, facts.now):
                await self.writer.act(self.office, facts.now, alarms.rings, name)
        for rule in self.board.rules:
            row = known.get(watches.ALARM + rule.name)
            if row is None or row.bad is None or not self._is_over(rule.name, facts):
                continue
            await self.writer.act(self.office, facts.now, alarms.is_over, rule.name)

    def _is_over(self, name: Alarm, facts: Facts) -> bool:
        """Tell whether nothing rings, also for what rang before this process began."""
        if name in self.board.rings:
            return False
        return self.board.is_quiet(name, facts)

    async def _facts(self, unready: tuple[str, ...]) -> Facts:
        """Return what is known; a store that hangs is left to a thread of its own."""
        now = self.clock()
        self._began = self._began or now
        levels = self._own(unready)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(asyncio.to_thread(self._read, now))
        known = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                known, read = await asyncio.shield(self._reading)
                levels |= read
        return Facts(now, self._began, known, levels, self._spans())

    def _own(self, unready: tuple[str, ...]) -> dict[str, float]:
        """Return what this process knows without the store."""
        levels: dict[str, float] = {
            "unready_store": sum(one in _STORE for one in unready),
            "unready_house": sum(one == "house" for one in unready),
            "unready_loops": sum(one not in {*_STORE, "house"} for one in unready),
        }
        free = self._free()
        if free is not None:
            levels["disk_free_percent"] = free
        return levels

    def _read(self, now: datetime) -> _Read:
        """Return watches and levels as the store has them, None when it is away."""
        try:
            with self.writer.database.reading() as session:
                known = watches.read(session)
                idle = leases.idle(session, SCHEDULER, now=now)
                mine = leases.holds(session, SCHEDULER, self.holder, now=now)
            levels = {level.value: value for level, value in self.levels().items()}
        except Exception:  # noqa: BLE001 - the store is away, which is a fact too
            return None, {}
        levels["scheduler_idle_seconds"] = idle.total_seconds()
        self._leads = mine or idle > timedelta()
        self._known = known
        return known, levels

    def _spans(self) -> Mapping[str, timedelta]:
        watch = self.settings.watch
        spans: dict[str, timedelta] = {}
        if watch.canary_minutes:
            late = timedelta(minutes=_CANARIES * watch.canary_minutes)
            spans["canary"] = max(_LEAST, late)
        if watch.backup_days:
            spans["backup"] = timedelta(days=watch.backup_days)
        return spans

    def _free(self) -> float | None:
        """Return how much of the fullest of our disks is free, in percent."""
        places = [self.settings.files.path]
        url = self.writer.database.url
        if self.writer.database.is_sqlite and url.database:
            places.append(Path(url.database).parent)
        found = []
        for place in places:
            try:
                usage = shutil.disk_usage(place)
            except OSError:
                continue
            found.append(100 * usage.free / usage.total if usage.total else 0.0)
        return min(found, default=None)

    def _alarms(self) -> Mapping[str, float]:
        return {name.value: float(name in self.board.rings) for name in Alarm}

    def _failures(self) -> Mapping[str, float]:
        rows = self._known
        return {
            name.value: float(rows[name].failures if name in rows else 0)
            for name in Watched
        }


def _is_due(row: Watch, now: datetime) -> bool:
    return row.told is None or now - row.told >= alarms.AGAIN
