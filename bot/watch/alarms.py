"""The rules of alarms (``bot/watch/watching.toml``), and the state of each alarm. Pure.

An alarm is a state, not an event: it holds as long as its rule does, and it is over
only once it was quiet for a while, so that what flickers is told once.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from storage.jobs.watches import Watched
from storage.models import Watch

QUIET: Final = timedelta(minutes=5)
"""How long a rule must not hold until its alarm is over."""


class Alarm(StrEnum):
    """Every alarm there is; the value stands in metrics, logs and msgids."""

    CANARY_FAILED = "canary.failed"
    CANARY_OLD = "canary.old"
    STORE_AWAY = "store.away"
    LOOP_STOPPED = "loop.stopped"
    HOUSE_UNREADY = "house.unready"
    OUTBOX_OLD = "outbox.old"
    JOBS_OLD = "jobs.old"
    LEASES_DEAD = "leases.dead"
    TELEGRAM_WEBHOOK = "telegram.webhook"
    TELEGRAM_POLLER = "telegram.poller"
    TELEGRAM_WAITING = "telegram.waiting"
    TELEGRAM_SENDING = "telegram.sending"
    SMS_SENDING = "sms.sending"
    WHATSAPP_SENDING = "whatsapp.sending"
    TWILIO_RECONCILE = "twilio.reconcile"
    TWILIO_WEBHOOK = "twilio.webhook"
    DISK_FULL = "disk.full"
    SCHEDULER_IDLE = "scheduler.idle"
    BACKUP_OLD = "backup.old"
    FILES_FAILING = "files.failing"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; see the head of ``bot/watch/watching.toml``."""

    name: Alarm
    watch: Watched | None = None
    failures: int = 0
    bad_minutes: float = 0
    silent: str = ""
    level: str = ""
    above: float | None = None
    below: float | None = None
    minutes: float = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known now. ``watches`` is None while the store cannot be read.

    ``levels`` are the levels of ``/metrics`` and facts of this process; one that is not
    known is missing. ``silent`` are the spans that settings name; one that is off is
    missing. ``began`` is when this process did.
    """

    now: datetime
    began: datetime
    watches: Mapping[str, Watch] | None
    levels: Mapping[str, float]
    silent: Mapping[str, timedelta] = field(default_factory=dict)


def load() -> tuple[Rule, ...]:
    """Read the rules; raises ValueError or TypeError for one that is none."""
    table: dict[str, Any] = tomllib.loads(
        files(__package__).joinpath("watching.toml").read_text("utf-8")
    )
    return tuple(_rule(dict(row)) for row in table["alarm"])


def _rule(row: dict[str, Any]) -> Rule:
    watch = Watched(row.pop("watch")) if "watch" in row else None
    return Rule(name=Alarm(row.pop("name")), watch=watch, **row)


def holds(rule: Rule, facts: Facts) -> bool | None:
    """Tell whether a rule holds now; None where nobody can know."""
    if rule.watch is None:
        value = facts.levels.get(rule.level)
        return None if value is None else _is_beyond(rule, value)
    if facts.watches is None:
        return None
    row = facts.watches.get(rule.watch)
    if rule.silent:
        return _is_silent(rule, row, facts)
    if row is None or row.bad is None:
        return False
    long = facts.now - row.bad >= timedelta(minutes=rule.bad_minutes)
    return long and row.failures >= rule.failures


def _is_beyond(rule: Rule, value: float) -> bool:
    if rule.above is not None:
        return value >= rule.above
    return rule.below is not None and value <= rule.below


def _is_silent(rule: Rule, row: Watch | None, facts: Facts) -> bool:
    span = facts.silent.get(rule.silent)
    if span is None:
        return False
    if rule.watch is Watched.BACKUP:
        # Before the first one somebody may keep backups in another way.
        return row is not None and row.good is not None and facts.now - row.good >= span
    # A machine that was off did not fail meanwhile: it counts from its start.
    last = row.good if row is not None and row.good is not None else facts.began
    return facts.now - max(last, facts.began) >= span


@dataclass(slots=True)
class Board:
    """Which alarms ring, as this process sees it; ``look`` is to be called again and again."""

    rules: tuple[Rule, ...] = field(default_factory=load)
    _since: dict[Alarm, datetime] = field(default_factory=dict)
    _last: dict[Alarm, datetime] = field(default_factory=dict)
    rings: dict[Alarm, datetime] = field(default_factory=dict)
    """Each alarm that rings, and since when."""

    def look(self, facts: Facts) -> tuple[list[Alarm], list[Alarm]]:
        """Take facts in; return which alarms just began, and which are just over."""
        begun, over = [], []
        for rule in self.rules:
            held = holds(rule, facts)
            if held:
                since = self._since.setdefault(rule.name, facts.now)
                self._last[rule.name] = facts.now
                long = facts.now - since >= timedelta(minutes=rule.minutes)
                if long and rule.name not in self.rings:
                    self.rings[rule.name] = since
                    begun.append(rule.name)
            elif held is False:
                self._since.pop(rule.name, None)
                if rule.name in self.rings and self.is_quiet(rule.name, facts):
                    del self.rings[rule.name]
                    over.append(rule.name)
        return begun, over

    def is_quiet(self, name: Alarm, facts: Facts) -> bool:
        """Tell whether an alarm's rule did not hold for a while, as far as we lived."""
        return facts.now - self._last.get(name, facts.began) >= QUIET
