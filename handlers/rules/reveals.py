"""Grounds on which two people may open an identity or an original, as data."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, StrictBool

from handlers.rules.rulefile import NAME, Entry, Table, Term, having
from storage.words import RevealOf, RevealState

_LONGEST = 24 * 31


class Ground(Term):
    """A reason, a refusal or a silence: its names, what it fits, what it needs."""

    code: str = Field(validation_alias=NAME, pattern="^[A-Za-z]+$")
    fits: frozenset[RevealOf] = Field(
        default=frozenset(RevealOf), validation_alias="for", min_length=1
    )
    consent: StrictBool = False

    def name(self, language: str) -> str:
        """Return its name in a language, else in the first one there is."""
        return self.names.get(language) or next(iter(self.names.values()))


def _hours(value: object) -> timedelta:
    if type(value) is not int or not 0 < value <= _LONGEST:
        raise ValueError("is no number of hours up to a month")
    return timedelta(hours=value)


_Life: TypeAlias = Annotated[
    dict[RevealState, Annotated[timedelta, BeforeValidator(_hours)]],
    having(RevealState),
]
_Grounds: TypeAlias = Annotated[Table[Ground], Field(min_length=1)]


class RevealRules(Entry):
    """``reveal.toml``, as it stands in the file; ``life`` is per state of a request."""

    life: _Life
    reasons: _Grounds = Field(validation_alias="reason")
    refusals: _Grounds = Field(validation_alias="refusal")
    untold: _Grounds

    def reasons_for(self, what: RevealOf) -> Sequence[Ground]:
        """Return the reasons that fit, in the order of the file."""
        return [ground for ground in self.reasons.values() if what in ground.fits]
