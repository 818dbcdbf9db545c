"""Grounds on which two people may open an identity or an original, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from handlers.errors import RulesInvalid
from storage.words import RevealOf, RevealState

_FILE = "reveal.toml"
_LANGUAGE = len("id")
_LONGEST = 24 * 31


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason, a refusal or a silence: its names, what it fits, what it needs."""

    code: str
    names: Mapping[str, str]
    fits: frozenset[RevealOf] = frozenset(RevealOf)
    consent: bool = False

    def name(self, language: str) -> str:
        """Return its name in a language, else in the first one there is."""
        return self.names.get(language) or next(iter(self.names.values()), self.code)


@dataclass(frozen=True, slots=True)
class RevealRules:
    """``reveal.toml``, read and checked. ``life`` is per state of a request."""

    life: Mapping[RevealState, timedelta]
    reasons: Mapping[str, Ground]
    refusals: Mapping[str, Ground]
    untold: Mapping[str, Ground]

    def reasons_for(self, what: RevealOf) -> Sequence[Ground]:
        """Return the reasons that fit, in the order of the file."""
        return [ground for ground in self.reasons.values() if what in ground.fits]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the parsed file. Raises RulesInvalid naming the entry."""
        return cls(
            life={state: _life(data, state) for state in RevealState},
            reasons=_grounds(data, "reason"),
            refusals=_grounds(data, "refusal"),
            untold=_grounds(data, "untold"),
        )


def _life(data: Mapping[str, Any], state: RevealState) -> timedelta:
    hours = data.get("life", {}).get(state.value)
    if type(hours) is not int or not 0 < hours <= _LONGEST:
        raise RulesInvalid(f"{_FILE}: life.{state} is no number of hours up to a month")
    return timedelta(hours=hours)


def _grounds(data: Mapping[str, Any], table: str) -> dict[str, Ground]:
    rows = data.get(table, {})
    if not rows:
        raise RulesInvalid(f"{_FILE}: there is no {table}")
    return {code: _ground(code, row) for code, row in rows.items()}


def _ground(code: str, row: Mapping[str, Any]) -> Ground:
    fits = row.get("for", list(RevealOf))
    names = {key: text for key, text in row.items() if len(key) == _LANGUAGE}
    strange = row.keys() - names.keys() - {"for", "consent"}
    sound = (
        code.isascii()
        and code.isalpha()
        and names
        and fits
        and set(fits) <= set(RevealOf)
        and not strange
    )
    if not sound:
        raise RulesInvalid(f"{_FILE}: {code} is not sound")
    return Ground(
        code,
        names,
        frozenset(RevealOf(one) for one in fits),
        bool(row.get("consent", False)),
    )
