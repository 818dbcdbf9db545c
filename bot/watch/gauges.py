"""The levels of ``/metrics``, read from the store when somebody asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.telemetry.metrics import Level, Metrics
from bot.writer import Writer
from storage.crypto.server_key import ServerKeys
from storage.jobs import backlog, watches
from storage.jobs.watches import Watched
from storage.units import above

_FRESH = timedelta(seconds=1)
"""One reading serves all series of one request."""


@dataclass(slots=True)
class Levels:
    """Reads every level at once, on a connection that only reads."""

    writer: Writer
    holder: str
    clock: Callable[[], datetime]
    day: Callable[[datetime], date]
    keys: ServerKeys
    _at: datetime | None = None
    _read: dict[Level, float] | None = None

    def feed(self, metrics: Metrics) -> None:
        """Let every level be told by these metrics."""
        metrics.watch(Level.WRITER_WAITING, lambda: self.writer.waiting)
        metrics.watch(Level.CANARY_SECONDS, lambda: 0.0)
        for level in Level:
            if level not in {Level.WRITER_WAITING, Level.CANARY_SECONDS}:
                metrics.watch(level, self._reader(level))

    def _reader(self, level: Level) -> Callable[[], float]:
        return lambda: self.read()[level]

    def read(self) -> dict[Level, float]:
        """Return what was read a moment ago, or read anew; raises when the store is away."""
        now = self.clock()
        if self._read is None or self._at is None or abs(now - self._at) > _FRESH:
            self._read = None
            self._read, self._at = self._look(now), now
        return self._read

    def _look(self, now: datetime) -> dict[Level, float]:
        today = self.day(now)
        with self.writer.database.reading() as session:
            letters = backlog.letters(session, now=now)
            jobs = backlog.jobs(session, now=now)
            copies = backlog.copies(session, now=now)
            return {
                Level.TELEGRAM_PENDING: 0,
                Level.TELEGRAM_FAILED: 0,
                Level.OUTBOX_WAITING: letters.count,
                Level.OUTBOX_FAILED: backlog.failed_letters(session, now=now),
                Level.OUTBOX_OLDEST_DUE: letters.age.total_seconds(),
                Level.JOBS_WAITING: jobs.count,
                Level.JOBS_OLDEST_DUE: jobs.age.total_seconds(),
                Level.COPIES_OWED: copies.count,
                Level.COPIES_OLDEST: copies.age.total_seconds(),
                Level.QUARANTINE_WAITING: backlog.quarantined(session, today=today),
                Level.CASES_OPEN: backlog.open_cases(
                    session, today=today, above=above.id_of(session, self.keys)
                ),
                Level.QUARANTINE_OLDEST: backlog.quarantine_days(session, today=today),
                Level.LEASES_DEAD: backlog.dead_leases(session, now=now),
                Level.CANARY_AGE: watches.age(
                    session, Watched.CANARY, now=now
                ).total_seconds(),
                Level.LEASES_HELD: backlog.leases(session, self.holder, now=now),
            }
