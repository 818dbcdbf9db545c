"""How long things are kept: rules as data, from ``retention.toml``, and what they mean.

Days are the agency's local days; the last day of a rule is kept whole. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from handlers.rules.rulefile import NAME, Count, Entry, Table, having
from handlers.rules.workdays import DAY, MONTHS_IN_YEAR, month_later
from storage.words import Erased, Status

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


class Rule(Entry):
    """One life. ``erases`` and ``statuses`` are for cases, empty for everything else."""

    name: str = Field(validation_alias=NAME)
    what: str
    length: Annotated[Count, Field(le=_MOST)]
    unit: Unit
    since: Since
    hold: StrictBool
    source: str
    fixed: StrictBool = False
    erases: frozenset[Erased] = frozenset()
    statuses: frozenset[Status] = frozenset()

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        for problem in (*_problems(self), *_case_problems(self)):
            raise ValueError(problem)
        return self


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules must know of a case. ``purged`` is when its contents were erased."""

    status: Status
    closed: date | None
    purged: date | None
    hold: bool


def _once_each(rules: dict[str, Rule]) -> dict[str, Rule]:
    """Refuse a table in which something of an ended case goes twice, or never."""
    for status in sorted(ENDED):
        for what in Erased:
            found = [
                name
                for name, rule in rules.items()
                if status in rule.statuses and what in rule.erases
            ]
            if not found:
                raise ValueError(f"nothing erases {what} after {status}")
            if len(found) > 1:
                raise ValueError(
                    f"{found[1]}: {what} after {status} has a rule in {found[0]}"
                )
    return rules


class Lifetimes(Entry):
    """The whole table, as it stands in the file."""

    rules: Annotated[
        Table[Rule], having((*FIXED, *sorted(DAILY))), AfterValidator(_once_each)
    ] = Field(validation_alias="rule")

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


def last_day(rule: Rule, start: date) -> date:
    """Return the last day of a rule for cases that counts from ``start``."""
    if rule.unit is Unit.DAYS:
        return start + rule.length * DAY
    months = MONTHS_IN_YEAR if rule.unit is Unit.YEARS else 1
    return month_later(start, rule.length * months)


def latest_start(rule: Rule, today: date) -> date:
    """Return the latest day such that what counts from it is over today."""
    if rule.unit is Unit.DAYS:
        return today - (rule.length + 1) * DAY
    months = MONTHS_IN_YEAR if rule.unit is Unit.YEARS else 1
    day = month_later(today, -rule.length * months) + _SLACK * DAY
    while last_day(rule, day) >= today:
        day -= DAY
    return day


def _is_over(rule: Rule, start: date | None, today: date) -> bool:
    return start is not None and last_day(rule, start) < today


def _start(rule: Rule, facts: Facts) -> date | None:
    return facts.purged if rule.since is Since.PURGED else facts.closed


def _problems(rule: Rule) -> Iterator[str]:
    """Say what is wrong with one rule."""
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
