"""How long things are kept: rules as data, from ``retention.toml``, and what they mean.

Days are the agency's local days; the last day of a rule is kept whole. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from handlers.errors import RulesInvalid
from handlers.rules.workdays import DAY, month_later
from storage.words import Erased, Status

_FILE = "retention.toml"
_MONTHS_IN_YEAR = 12
_MOST = 1200
_SLACK = 3
ENDED = frozenset({Status.CLOSED, Status.REJECTED, Status.MERGED, Status.WITHDRAWN})


class Unit(StrEnum):
    """What a life is counted in."""

    MINUTES = "MIN"
    HOURS = "H"
    DAYS = "CD"
    MONTHS = "M"
    YEARS = "Y"


class Since(StrEnum):
    """What a life is counted from."""

    MESSAGE = "message"
    LAST_MESSAGE = "last message"
    LETTER = "letter"
    SIGN_IN = "sign-in"
    INVITATION = "invitation"
    CLOSED = "closed"
    PURGED = "contents erased"
    BACKUPS_END = "end of the backups"


FIXED: Mapping[str, tuple[int, Unit]] = {
    "drafts": (24, Unit.HOURS),
    "conversations": (30, Unit.MINUTES),
    "traces": (48, Unit.HOURS),
    "letters": (48, Unit.HOURS),
    "departed": (48, Unit.HOURS),
    "jobs": (48, Unit.HOURS),
    "sessions": (10, Unit.HOURS),
    "invitations": (7, Unit.DAYS),
}
"""What the program keeps itself; a test holds these against its constants."""
DAILY = frozenset({"inbox", "quarantine", "tombstones"})
"""What is counted in days and read from the table."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One life. ``erases`` and ``statuses`` are for cases, empty for everything else."""

    name: str
    what: str
    length: int
    unit: Unit
    since: Since
    hold: bool
    source: str
    fixed: bool
    erases: frozenset[Erased]
    statuses: frozenset[Status]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules must know of a case. ``purged`` is when its contents were erased."""

    status: Status
    closed: date | None
    purged: date | None
    hold: bool


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The whole table. Build it with ``from_data``."""

    rules: Mapping[str, Rule]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the parsed TOML. Raises ``RulesInvalid`` naming the rule that is wrong."""
        rules = {}
        for name, row in data.get("rule", {}).items():
            try:
                rules[name] = _rule(name, row)
            except KeyError as error:
                raise RulesInvalid(f"{_FILE}: {name}: {error} is missing") from error
            except (ValueError, TypeError, AttributeError) as error:
                raise RulesInvalid(f"{_FILE}: {name}: {error}") from error
        for name in (*FIXED, *sorted(DAILY)):
            if name not in rules:
                raise RulesInvalid(f"{_FILE}: {name} is missing")
        _once_each(rules)
        return cls(rules)

    def days(self, name: str) -> timedelta:
        """Return the life of something that is counted in days."""
        return self.rules[name].length * DAY

    def of(self, what: Erased) -> tuple[Rule, ...]:
        """Return the rules that erase this of cases."""
        return tuple(rule for rule in self.rules.values() if what in rule.erases)

    def over(self, facts: Facts, today: date) -> frozenset[Erased]:
        """Return what of a case has outlived its rule today; a hold keeps what it stops."""
        return frozenset(
            what
            for what in Erased
            for rule in self.of(what)
            if facts.status in rule.statuses
            and not (rule.hold and facts.hold)
            and _is_over(rule, _start(rule, facts), today)
        )

    def ends(self, facts: Facts, what: Erased) -> date | None:
        """Return the last day on which this of a case is kept, None while it is not known."""
        for rule in self.of(what):
            start = _start(rule, facts)
            if facts.status in rule.statuses and start is not None:
                return last_day(rule, start)
        return None


def last_day(rule: Rule, start: date) -> date:
    """Return the last day of a rule for cases that counts from ``start``."""
    if rule.unit is Unit.DAYS:
        return start + rule.length * DAY
    months = _MONTHS_IN_YEAR if rule.unit is Unit.YEARS else 1
    return month_later(start, rule.length * months)


def latest_start(rule: Rule, today: date) -> date:
    """Return the latest day such that what counts from it is over today."""
    if rule.unit is Unit.DAYS:
        return today - (rule.length + 1) * DAY
    months = _MONTHS_IN_YEAR if rule.unit is Unit.YEARS else 1
    day = month_later(today, -rule.length * months) + _SLACK * DAY
    while last_day(rule, day) >= today:
        day -= DAY
    return day


def _is_over(rule: Rule, start: date | None, today: date) -> bool:
    return start is not None and last_day(rule, start) < today


def _start(rule: Rule, facts: Facts) -> date | None:
    return facts.purged if rule.since is Since.PURGED else facts.closed


def _rule(name: str, row: Mapping[str, Any]) -> Rule:
    row = dict(row)
    rule = Rule(
        name=name,
        what=row.pop("what"),
        length=row.pop("length"),
        unit=Unit(row.pop("unit")),
        since=Since(row.pop("since")),
        hold=row.pop("hold"),
        source=row.pop("source"),
        fixed=row.pop("fixed", False),
        erases=frozenset(Erased(value) for value in row.pop("erases", ())),
        statuses=frozenset(Status(value) for value in row.pop("statuses", ())),
    )
    if row:
        raise ValueError(f"unknown key {min(row)}")
    for problem in (*_problems(rule), *_case_problems(rule)):
        raise ValueError(problem)
    return rule


def _problems(rule: Rule) -> Iterator[str]:
    """Say what is wrong with one rule."""
    if not all(type(flag) is bool for flag in (rule.hold, rule.fixed)):
        yield "hold and fixed are true or false"
    if type(rule.length) is not int or not 0 <= rule.length <= _MOST:
        yield f"a length is a whole number from 0 to {_MOST}"
    if not rule.what or rule.source[:1] not in {"V", "U", "P"}:
        yield "say what goes, and whether that is V, U or P"
    fixed = FIXED.get(rule.name)
    if rule.fixed != (fixed is not None):
        yield "fixed cannot be changed"
    elif fixed is not None and fixed != (rule.length, rule.unit):
        yield f"is fixed at {fixed[0]} {fixed[1]}; the program keeps it"
    elif rule.name in DAILY and rule.unit is not Unit.DAYS:
        yield "is counted in CD"


def _case_problems(rule: Rule) -> Iterator[str]:
    """Say what is wrong with a rule for cases, or that it is none."""
    if rule.name in DAILY or rule.name in FIXED:
        if rule.erases or rule.statuses or rule.hold:
            yield "is no rule for cases"
        return
    if not rule.erases or not rule.statuses:
        yield "a rule for cases names erases and statuses"
    if rule.statuses - ENDED:
        yield f"{min(rule.statuses - ENDED)} is no status in which a case ends"
    if rule.unit in {Unit.MINUTES, Unit.HOURS}:
        yield "a rule for cases is counted in CD, M or Y"
    receipt = Erased.RECEIPT in rule.erases
    if rule.since is not (Since.PURGED if receipt else Since.CLOSED):
        yield "counts from closed, or for a receipt from contents erased"
    if receipt and len(rule.erases) > 1:
        yield "a receipt has a rule of its own"


def _once_each(rules: Mapping[str, Rule]) -> None:
    """Refuse a table in which something of an ended case goes twice, or never."""
    for status in sorted(ENDED):
        for what in Erased:
            found = [
                name
                for name, rule in rules.items()
                if status in rule.statuses and what in rule.erases
            ]
            if not found:
                raise RulesInvalid(f"{_FILE}: nothing erases {what} after {status}")
            if len(found) > 1:
                raise RulesInvalid(
                    f"{_FILE}: {found[1]}: {what} after {status} has a rule in {found[0]}"
                )
