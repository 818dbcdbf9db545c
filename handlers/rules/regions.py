"""Provinces, regencies and cities by code, and how people write their names: the tables.

A code is only worth something with its system: see the note in ``regions.toml``. A
jurisdiction needs provinces only; ``regencies.toml`` and ``places.toml`` may be absent.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum, auto
from functools import cached_property
from itertools import chain
from typing import Annotated, Self, TypeAlias

from pydantic import Field, StrictBool, StrictInt, model_validator

from handlers.rules.rulefile import Entry

_Code: TypeAlias = Annotated[str, Field(pattern="^[0-9]{2}$")]
_RegencyCode: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}$")]
_AnyCode: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{2}(\.[0-9]{2})?$")]
_Words: TypeAlias = tuple[str, ...]


class _Province(Entry):
    name: str
    also: _Words = ()
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

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        found: dict[str, str] = {}
        for code, row in self.provinces.items():
            for spelling in (row.name, *row.also):
                if found.setdefault(spelling.casefold(), code) != code:
                    raise ValueError(f"{spelling} stands twice")
        return self


class Regencies(Entry):
    """Regencies and cities: official names by ``PP.KK``, PP a code of ``Provinces``."""

    code_system: str = ""
    form: str = ""
    names: dict[_RegencyCode, str] = Field(
        default_factory=dict, validation_alias="regency"
    )


class Before(StrEnum):
    """What the word right before a name tells of it."""

    REGENCY = auto()
    CITY = auto()
    PROVINCE = auto()
    SEAT = auto()
    """Some place or other."""
    IN = auto()
    """A place, unless the name is an ordinary word."""
    ALSO = auto()
    """What was said of the name before it."""
    SMALLER = auto()
    """A district that may only bear the name."""
    OTHER = auto()
    """No place at all."""


KINDS = frozenset({Before.REGENCY, Before.CITY, Before.PROVINCE})


class _Office(Entry):
    words: _Words = ()
    ends: _Words = ()


class _Ordinary(Entry):
    words: _Words = ()
    phrases: _Words = ()
    spelled_right: _Words = ()


class PlaceWords(Entry):
    """How people write places: ``places.toml``, where every list is explained.

    ``misspelt_from`` is how many letters a name has that may have a wrong one; 0: none may.
    """

    misspelt_from: StrictInt = Field(default=0, ge=0)
    everyday: dict[_AnyCode, _Words] = Field(default_factory=dict)
    once_in: dict[_Code, tuple[_Code, ...]] = Field(default_factory=dict)
    spelled: dict[str, str] = Field(default_factory=dict)
    before: dict[Before, _Words] = Field(default_factory=dict)
    office: _Office = _Office()
    ordinary: _Ordinary = _Ordinary()

    @cached_property
    def roles(self) -> Mapping[str, Before]:
        """What each word tells of the name after it."""
        return {word: role for role, words in self.before.items() for word in words}

    @model_validator(mode="after")
    def _words_are_words(self) -> Self:
        told = list(chain.from_iterable(self.before.values()))
        lists: Iterable[str] = (*told, *self.office.words, *self.office.ends)
        for word in lists:
            if not word.isalnum() or word != word.casefold():
                raise ValueError(f"{word!r} is not one word in small letters")
        if len(told) != len(set(told)):
            twice = next(word for word in told if told.count(word) > 1)
            raise ValueError(f"before: {twice} stands twice")
        return self
