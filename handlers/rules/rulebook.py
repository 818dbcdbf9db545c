"""The rules of one jurisdiction, read from its TOML files.

The files lie in ``handlers/rules/<jurisdiction>``. An agency's own folder (``[agency]
rules``) may hold edited copies: a file there stands in for ours of the same name.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Self, TypeVar

from handlers.errors import RulesInvalid
from handlers.rules.deadlines import Rule, rules_from_data
from handlers.rules.lifetimes import Lifetimes
from handlers.rules.regions import Provinces
from handlers.rules.reveals import RevealRules
from handlers.rules.workdays import Calendar
from handlers.rules.workflow import Workflow
from storage.words import Group, PositionClass, Reason

_RIGHTS = ("D22", "D23", "D24", "D25", "D25A")
"""Deadlines that no copy of the rules may leave out: a law or a promise stands behind them."""
T = TypeVar("T")
MISSHAPEN = (AttributeError, LookupError, OverflowError, TypeError, ValueError)
"""What a rule file of another shape than ours runs into."""
_DAY_KINDS = frozenset({"public", "joint", "work"})


@dataclass(frozen=True, slots=True)
class Term:
    """A coded word of the field with its names, language to text."""

    code: str
    names: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules of a jurisdiction. Build it with ``load``."""

    jurisdiction: str
    workflow: Workflow
    deadlines: Mapping[str, Rule]
    lifetimes: Lifetimes
    reasons: Mapping[str, Term]
    categories: Mapping[str, Term]
    positions: Mapping[str, Term]
    provinces: Provinces
    reveal: RevealRules
    evidence: Mapping[str, Term]
    day_overrides: Mapping[date, str]

    @classmethod
    def load(cls, folder: Path | None = None, jurisdiction: str = "id") -> Self:
        """Read and check everything. Raises ``RulesInvalid`` naming file and entry."""
        read = partial(_made, folder, jurisdiction)
        reasons = read("reasons.toml", _terms)
        categories = read("categories.toml", _terms)
        positions = read("positions.toml", _terms)
        _same("reasons.toml", reasons, Reason)
        _among(
            "categories.toml", (code.partition("-")[0] for code in categories), Group
        )
        _among(
            "positions.toml",
            (str(term.facts.get("class")) for term in positions.values()),
            PositionClass,
        )
        deadlines = read("deadlines.toml", rules_from_data)
        for name in _RIGHTS:
            if name not in deadlines:
                raise RulesInvalid(f"deadlines.toml: {name} is missing")
        return cls(
            jurisdiction=jurisdiction,
            workflow=read("workflow.toml", Workflow.from_data),
            deadlines=deadlines,
            lifetimes=read("retention.toml", Lifetimes.from_data),
            reasons=reasons,
            categories=categories,
            positions=positions,
            provinces=read("regions.toml", Provinces.from_data),
            reveal=read("reveal.toml", RevealRules.from_data),
            evidence=read("evidence.toml", _terms),
            day_overrides=read("holidays.toml", _days),
        )

    def calendar(
        self, years: Iterable[int], *, joint_leave_off: bool = True
    ) -> Calendar:
        """Return the working-day calendar of these years, with the local overrides."""
        return Calendar.from_package(
            years,
            self.day_overrides,
            country=self.jurisdiction.upper(),
            joint_leave_off=joint_leave_off,
        )


def read_rules(name: str, folder: Path | None, jurisdiction: str) -> dict[str, Any]:
    """Return one parsed rule file, the agency's own copy first.

    Raises ``RulesInvalid`` when there is none, or when it is no TOML.
    """
    own = folder / name if folder else None
    ours = resources.files("handlers") / "rules" / jurisdiction / name
    try:
        text = (own if own and own.is_file() else ours).read_text("utf-8")
        return tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise RulesInvalid(f"{jurisdiction}/{name}: {error}") from error


def _made(
    folder: Path | None,
    jurisdiction: str,
    name: str,
    make: Callable[[dict[str, Any]], T],
) -> T:
    """Read one file and make of it what it says; RulesInvalid for any other shape."""
    data = read_rules(name, folder, jurisdiction)
    try:
        return make(data)
    except MISSHAPEN as error:
        raise RulesInvalid(f"{name}: {error}") from error


def _terms(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Term]:
    return {
        code: Term(
            code,
            {key: text for key, text in row.items() if len(key) == len("id")},
            {key: fact for key, fact in row.items() if len(key) != len("id")},
        )
        for code, row in data.items()
    }


def _same(name: str, terms: Mapping[str, Term], words: type[Reason]) -> None:
    for word in words:
        if word not in terms:
            raise RulesInvalid(f"{name}: {word} is missing")
    _among(name, terms, words)


def _among(
    name: str,
    codes: Iterable[str],
    words: type[Reason] | type[Group] | type[PositionClass],
) -> None:
    for code in codes:
        if code not in set(words):
            raise RulesInvalid(f"{name}: {code} is not known")


def _days(data: Mapping[str, Any]) -> dict[date, str]:
    days = {}
    for text, kind in data.get("day", {}).items():
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise RulesInvalid(f"holidays.toml: {text} is no day") from error
        if kind not in _DAY_KINDS:
            raise RulesInvalid(f"holidays.toml: {text}: {kind} is not known")
        days[day] = kind
    return days
