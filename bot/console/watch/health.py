"""How the server itself is: alarms with what to do, what is watched, what waits."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from bot.console.visit import Visit
from bot.telemetry.metrics import Level
from storage.jobs import watches
from storage.jobs.watches import Watched
from storage.models import Watch

AGES = (
    Level.OUTBOX_OLDEST_DUE,
    Level.JOBS_OLDEST_DUE,
    Level.COPIES_OLDEST,
    Level.QUARANTINE_OLDEST,
    Level.CANARY_AGE,
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Age:
    """How old the oldest of something is, in the largest unit that fits."""

    name: str
    unit: str
    number: int


def health(visit: Visit) -> Response:
    """Show alarms, watches and ages; a store that is away leaves the alarms."""
    rows: Mapping[str, Watch] = {}
    ages: list[Age] = []
    away = False
    try:
        with visit.console.database.reading() as session:
            rows = watches.read(session)
        levels = visit.console.levels()
        ages = [_age(level, levels[level]) for level in AGES if level in levels]
    except SQLAlchemyError:
        away = True
    return visit.page(
        "watch/health.html",
        rings=sorted(visit.console.rings().items(), key=lambda one: one[1]),
        watched=[(name, rows[name]) for name in Watched if name in rows],
        ages=ages,
        away=away,
    )


def _age(level: Level, value: float) -> Age:
    if level is Level.QUARANTINE_OLDEST:
        value *= _DAY
    for unit, seconds in (("days", 2 * _DAY), ("hours", 2 * _HOUR), ("minutes", 1)):
        if value >= seconds:
            size = {"days": _DAY, "hours": _HOUR, "minutes": _MINUTE}[unit]
            return Age(level.value, unit, max(1, int(value // size)))
    return Age(level.value, "none", 0)
