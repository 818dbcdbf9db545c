"""Provinces by code, and the province that somebody named in passing; regencies and cities.

A code is only worth something with its system: see the note in ``regions.toml``. A
jurisdiction needs provinces only; ``regencies.toml`` may be absent.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Self, TypeAlias

from pydantic import Field, StrictBool, model_validator

from handlers.rules.rulefile import Entry

_Code: TypeAlias = Annotated[str, Field(pattern="^[0-9]{2}$")]
_RegencyCode: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}$")]
_WORD = re.compile(r"[^\W_]+")


class _Province(Entry):
    name: str
    also: tuple[str, ...] = ()
    bps: str = ""
    checked: StrictBool = True
    valid_from: date | None = None


class Provinces(Entry):
    """The whole table, as it stands in the file."""

    code_system: str
    form: str = ""
    valid_from: date | None = None
    provinces: dict[_Code, _Province] = Field(validation_alias="province")

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Names by code."""
        return {code: row.name for code, row in self.provinces.items()}

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Codes by every spelling that is understood."""
        found: dict[str, str] = {}
        for code, row in self.provinces.items():
            for spelling in (row.name, *row.also):
                if found.setdefault(_plain(spelling), code) != code:
                    raise ValueError(f"{spelling} stands twice")
        return found

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        _ = self.spellings
        return self

    def named_in(self, text: str) -> str:
        """Return the code of the one province that the text names, else ``""``.

        The longest name wins, so *Papua Barat* is not *Papua*; two provinces are none.
        """
        rest = f" {_plain(text)} "
        found = set()
        for spelling in sorted(self.spellings, key=len, reverse=True):
            if f" {spelling} " in rest:
                found.add(self.spellings[spelling])
                rest = rest.replace(f" {spelling} ", " | ")
        return found.pop() if len(found) == 1 else ""


class Regencies(Entry):
    """Regencies and cities: official names by ``PP.KK``, PP a code of ``Provinces``."""

    code_system: str = ""
    form: str = ""
    names: dict[_RegencyCode, str] = Field(
        default_factory=dict, validation_alias="regency"
    )


def _plain(text: str) -> str:
    words = " ".join(_WORD.findall(text.casefold()))
    return words.replace("sumatra", "sumatera")
