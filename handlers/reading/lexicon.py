"""All known words of one jurisdiction, read and checked.

Our files lie in ``handlers/rules/<jurisdiction>``; an agency's own copy stands in for ours
(``[agency] rules``). ``own_words.toml`` is there to be copied: it adds an agency's words,
such as the names of its own units, to all the others.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

from pydantic import Field

from handlers.errors import RulesInvalid
from handlers.reading.entries import (
    INSPECTORATE,
    Accused,
    Mention,
    OwnWords,
    Subjects,
    Title,
)
from handlers.reading.phrases import Groups, Phrases, grouped
from handlers.reading.spelling import Speller, Spelling
from handlers.rules.rulebook import read_rules
from handlers.rules.rulefile import Entry, checked

T = TypeVar("T")

_MARKS: Final = frozenset({",", "."})


class _Files(Entry):
    """The files by their names."""

    accused: Accused = Field(validation_alias="accused.toml")
    subjects: Subjects = Field(validation_alias="subjects.toml")
    spelling: Spelling = Field(validation_alias="spelling.toml")
    own: OwnWords = Field(validation_alias="own_words.toml")


@dataclass(frozen=True, repr=False)
class Beside:
    """Phrases around a title, each with the number of its rule in ``rules``."""

    rules: tuple[Mention, ...]
    before: Phrases[int]
    after: Phrases[int]
    not_before: Phrases[int]
    not_after: Phrases[int]
    near: Phrases[int]

    @classmethod
    def learnt(cls, rules: tuple[Mention, ...], groups: Groups) -> Self:
        """Learn the phrases of all rules. Raises ``ValueError`` for one that is none."""

        def numbered(key: str, *, backwards: bool = False) -> Phrases[int]:
            rows = ((getattr(rule, key), at) for at, rule in enumerate(rules))
            return _learnt(rows, groups, backwards=backwards)

        return cls(
            rules=rules,
            before=numbered("before", backwards=True),
            after=numbered("after"),
            not_before=numbered("unless_before", backwards=True),
            not_after=numbered("unless_after"),
            near=numbered("unless"),
        )


@dataclass(frozen=True, repr=False)
class People:
    """What ``accused.toml`` and an agency's own words say of titles."""

    titles: Phrases[Title]
    beside: Beside
    aides: Phrases[bool]
    aides_alone: Phrases[bool]
    aides_behind: Phrases[bool]
    greetings: Phrases[bool]
    asking: Phrases[bool]
    acting: Phrases[bool]
    incriminating: Phrases[bool]
    others: Phrases[bool]
    filling: frozenset[str]
    honours: frozenset[str]
    between: frozenset[str]
    following: frozenset[str]
    passing: frozenset[str]

    @classmethod
    def learnt(cls, file: Accused) -> Self:
        """Learn one file. Raises ``ValueError`` for a phrase that is none."""
        groups = grouped(file.groups)

        def listed(texts: tuple[str, ...], *, backwards: bool = False) -> Phrases[bool]:
            return _learnt([(texts, True)], groups, backwards=backwards)

        def single(texts: tuple[str, ...]) -> frozenset[str]:
            return frozenset(listed(texts).vocabulary)

        return cls(
            titles=_learnt(((title.words, title) for title in file.titles), groups),
            beside=Beside.learnt(file.mentions, groups),
            aides=listed(file.aides, backwards=True),
            aides_alone=listed(file.aides_alone),
            aides_behind=listed(file.aides_behind),
            greetings=listed(file.greetings, backwards=True),
            asking=listed(file.asking),
            acting=listed(file.acting),
            incriminating=listed(file.incriminating),
            others=listed(file.others),
            filling=single(file.filling),
            honours=single(file.honours),
            between=single(file.between),
            following=single(file.following),
            passing=single(file.passing),
        )


@dataclass(frozen=True, repr=False)
class About:
    """What ``subjects.toml`` and an agency's own words say of subjects, by code."""

    order: tuple[str, ...]
    categories: Phrases[str]
    hints: Phrases[str]
    corruption: Phrases[bool]
    harmless: Phrases[bool]
    signs: Phrases[str]

    @classmethod
    def learnt(cls, file: Subjects) -> Self:
        """Learn one file. Raises ``ValueError`` for a phrase that is none."""
        groups = grouped(file.groups)
        return cls(
            order=tuple(dict.fromkeys((*file.categories, *file.hints))),
            categories=_learnt(_coded(file.categories), groups),
            hints=_learnt(_coded(file.hints), groups),
            corruption=_learnt([(file.corruption, True)], groups),
            harmless=_learnt([(file.harmless, True)], groups),
            signs=_learnt(_coded(file.signs), groups),
        )


@dataclass(frozen=True, repr=False)
class Lexicon:
    """Everything that ``read`` looks words up in. Build it once, with ``load``."""

    speller: Speller
    people: People
    about: About

    @classmethod
    def load(cls, folder: Path | None = None, jurisdiction: str = "id") -> Self:
        """Read and check everything. Raises ``RulesInvalid`` naming file and entry."""
        names = [field.validation_alias for field in _Files.model_fields.values()]
        read = {
            str(name): read_rules(str(name), folder, jurisdiction) for name in names
        }
        files = checked(read, _Files.model_validate)
        codes = {
            name: frozenset(read_rules(name, folder, jurisdiction))
            for name in ("categories.toml", "positions.toml")
        }
        _refuse_unknown(files, codes)
        with _named("accused.toml"):
            people = People.learnt(files.accused)
        with _named("subjects.toml"):
            about = About.learnt(files.subjects)
        with _named("own_words.toml"):
            _add(files.own, people, about)
        return cls(Speller(files.spelling, _known(people, about)), people, about)


def _add(own: OwnWords, people: People, about: About) -> None:
    for title in own.titles:
        people.titles.add(title.words, title, {})
    for code, texts in own.categories.items():
        about.categories.add(texts, code, {})
    for code, texts in own.signs.items():
        about.signs.add(texts, code, {})


def _known(people: People, about: About) -> frozenset[str]:
    """Return every word of the data."""
    parts = [
        *vars(people).values(),
        *vars(people.beside).values(),
        *vars(about).values(),
    ]
    phrases = [part.vocabulary for part in parts if isinstance(part, Phrases)]
    single = [part for part in parts if isinstance(part, frozenset)]
    return frozenset().union(*phrases, *single) - _MARKS


@contextmanager
def _named(file: str) -> Iterator[None]:
    """Name the file in which a phrase is none."""
    try:
        yield
    except ValueError as error:
        raise RulesInvalid(f"{file}: {error}") from error


def _refuse_unknown(files: _Files, codes: dict[str, frozenset[str]]) -> None:
    """Refuse a position or a category that no table knows."""
    titles, subjects = (*files.accused.titles, *files.own.titles), files.subjects
    positions = {title.position for title in titles} - {"", INSPECTORATE}
    categories = {*subjects.categories, *subjects.hints, *files.own.categories}
    for name, used in (("positions.toml", positions), ("categories.toml", categories)):
        for code in sorted(used - codes[name]):
            raise RulesInvalid(f"{code} does not stand in {name}")


def _learnt(
    rows: Iterable[tuple[Iterable[str], T]], groups: Groups, *, backwards: bool = False
) -> Phrases[T]:
    found: Phrases[T] = Phrases(backwards=backwards)
    for texts, meaning in rows:
        found.add(texts, meaning, groups)
    return found


def _coded(table: dict[str, tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
    for code, texts in table.items():
        yield texts, code
