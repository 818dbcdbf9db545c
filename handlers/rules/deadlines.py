"""When things are due: rules as data on a calendar of working days.

Day 0 is the day of the event in the agency's own time zone: callers pass local dates.
Pure: the rules come from ``deadlines.toml``, the holidays from ``handlers.rules.workdays``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Annotated, Any, Literal, Self, assert_never

from pydantic import (
    Field,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)

from handlers.rules.rulefile import NAME, Count, Entry, Table, filled, having
from handlers.rules.workdays import DAY, MONTHS_IN_YEAR, Calendar, month_later
from storage.words import Group, Sp4n, Status, Track, Urgency

_RIGHTS = ("D22", "D23", "D24", "D25", "D25A")
"""Rules that no copy of the file may leave out: a law or a promise stands behind them."""
_HOURS_IN_DAY = 24


class Unit(StrEnum):
    """What a deadline is counted in."""

    WORKING_DAYS = "WD"
    CALENDAR_DAYS = "CD"
    HOURS = "H"
    MONTHS = "M"
    YEARS = "Y"


class Rule(Entry):
    """One deadline: how long, counted from what, for which cases, who is warned when.

    Empty conditions hold for every case; ``classes`` stand above ``groups`` on a case that
    an officer gave a class. ``warn_days`` are days after the start in the
    rule's own unit, ``overdue_every`` working days after the deadline.
    """

    id: str = Field(validation_alias=NAME)
    action: str
    length: Count
    unit: Unit
    since: str
    tell: tuple[str, ...]
    source: str
    active: StrictBool
    pauses: StrictBool
    warn_percent: tuple[Count, ...]
    warn_days: tuple[Count, ...] = ()
    overdue_every: Count = Field(validation_alias="overdue_every_wd")
    statuses: frozenset[Status] = frozenset()
    groups: frozenset[Group] = frozenset()
    classes: frozenset[Sp4n] = frozenset()
    tracks: frozenset[Track] = frozenset()
    urgencies: frozenset[Literal["URGENT", "HIGH", "NORMAL"]] = frozenset()

    @model_validator(mode="after")
    def _can_start(self) -> Self:
        if self.active and self.since not in {"submit", "status", "told", "asked"}:
            raise ValueError(f"an active rule cannot start at {self.since}")
        return self


class Deadlines(Entry):
    """The whole table; ``defaults`` stand in for what a rule leaves out."""

    defaults: dict[str, Any] = Field(default_factory=dict)
    rules: Annotated[Table[Rule], having(_RIGHTS)] = Field(validation_alias="rule")

    @field_validator("rules", mode="before")
    @classmethod
    def _fill_in(cls, rows: object, info: ValidationInfo) -> object:
        defaults = info.data.get("defaults", {})
        return filled(rows, lambda _name: defaults)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in NEEDS_INFO: from the day it began to the day it ended, or to today."""

    begin: date
    end: date


@dataclass(frozen=True, slots=True)
class Clock:
    """What the rules must know of a case. Dates are the agency's local days.

    ``entered`` is when it came into its status, ``told`` when the reporter last heard.
    """

    status: Status
    group: Group
    track: Track
    urgency: Urgency
    submitted: date
    entered: date
    told: date
    pauses: Sequence[Pause] = ()
    sp4n: Sp4n | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline of a case: which rule, counted from when, due when."""

    day: date
    rule: Rule
    start: date


def due(
    rule: Rule, start: date, calendar: Calendar, pauses: Sequence[Pause] = ()
) -> date:
    """Return the last day of the deadline; days of pauses that met it are added.

    A pause that began after the deadline had passed does not save it. Hours are
    rounded up to days here; ``due_at`` is exact.
    """
    extra = 0
    last = _after(rule, start, extra, calendar)
    if not rule.pauses:
        return last
    seen = start
    for pause in sorted(pauses, key=lambda pause: (pause.begin, pause.end)):
        begin = max(pause.begin, seen)
        if begin > last or pause.end <= begin:
            continue
        extra += _days(rule, begin, pause.end, calendar)
        seen = pause.end
        last = _after(rule, start, extra, calendar)
    return last


def due_at(rule: Rule, start: datetime) -> datetime:
    """Return the moment an hours rule is due. Raises ``ValueError`` for another unit."""
    if rule.unit is not Unit.HOURS:
        raise ValueError(f"{rule.id} is not counted in hours")
    return start + timedelta(hours=rule.length)


def pending(
    rules: Mapping[str, Rule], clock: Clock, calendar: Calendar
) -> tuple[Due, ...]:
    """Return the running deadlines of a case, the next one first; none when it is over."""
    return tuple(
        sorted(
            _running(rules, clock, calendar),
            key=lambda found: (found.day, found.rule.id),
        )
    )


def warnings(
    rule: Rule, start: date, last: date, calendar: Calendar, until: date
) -> tuple[date, ...]:
    """Return the days on which to warn, in order, none after ``until``.

    At shares of the time between ``start`` and ``last`` (the day it is due), counted
    in the rule's unit and rounded up; on fixed days; then, overdue, every so many
    working days.
    """
    working = rule.unit is Unit.WORKING_DAYS
    span = calendar.working_days(start, last) if working else (last - start).days
    steps = {ceil(span * percent / 100) for percent in rule.warn_percent}
    steps.update(step for step in rule.warn_days if step <= span)
    days = {
        calendar.add(start, step) if working else start + step * DAY for step in steps
    }
    if rule.overdue_every:
        late = calendar.add(last, rule.overdue_every)
        while late <= until:
            days.add(late)
            late = calendar.add(late, rule.overdue_every)
    return tuple(sorted(day for day in days if day <= until))


def _running(
    rules: Mapping[str, Rule], clock: Clock, calendar: Calendar
) -> Iterator[Due]:
    starts = {
        "submit": clock.submitted,
        "status": clock.entered,
        "told": clock.told,
    }
    for rule in rules.values():
        if (
            rule.active
            and rule.since in starts
            and clock.status in (rule.statuses or {clock.status})
            and _is_of_kind(rule, clock)
            and clock.track in (rule.tracks or {clock.track})
            and clock.urgency.name in (rule.urgencies or {clock.urgency.name})
        ):
            start = starts[rule.since]
            yield Due(due(rule, start, calendar, clock.pauses), rule, start)


def _is_of_kind(rule: Rule, clock: Clock) -> bool:
    """Tell whether a rule is for this kind of case: by the class an officer gave, else its group."""
    if rule.classes and clock.sp4n is not None:
        return clock.sp4n in rule.classes
    return clock.group in (rule.groups or {clock.group})


def _after(rule: Rule, start: date, extra: int, calendar: Calendar) -> date:
    match rule.unit:
        case Unit.WORKING_DAYS:
            return calendar.add(start, rule.length + extra)
        case Unit.CALENDAR_DAYS:
            return start + (rule.length + extra) * DAY
        case Unit.HOURS:
            return start + (ceil(rule.length / _HOURS_IN_DAY) + extra) * DAY
        case Unit.MONTHS:
            return month_later(start, rule.length) + extra * DAY
        case Unit.YEARS:
            return month_later(start, rule.length * MONTHS_IN_YEAR) + extra * DAY
        case never:
            assert_never(never)


def _days(rule: Rule, begin: date, end: date, calendar: Calendar) -> int:
    if rule.unit is Unit.WORKING_DAYS:
        return calendar.working_days(begin, end)
    return (end - begin).days
