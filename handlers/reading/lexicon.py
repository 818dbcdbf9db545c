"""All known words of one jurisdiction, read and checked.

Our files lie in ``handlers/rules/<jurisdiction>``; an agency's own copy stands in for ours
(``[agency] rules``). ``own_words.toml`` is there to be copied: it adds an agency's words,
such as the names of its own units, to all the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeAlias

from pydantic import Field, StrictBool

from handlers.errors import RulesInvalid
from handlers.reading.phrases import Groups, Phrases, grouped
from handlers.reading.spelling import Speller, Spelling
from handlers.rules.rulebook import read_rules
from handlers.rules.rulefile import Entry, checked

Conflict: TypeAlias = Literal["KDH", "INS"]
"""A class of people whose case this office must not handle: the regional head and who is
near them; the inspectorate itself."""

INSPECTORATE: Final = "INS"
"""Position of our own people; ``positions.toml`` has no such code yet."""

_MARKS: Final = frozenset({",", "."})


class Title(Entry):
    """What people of one position are called."""

    position: str = ""
    conflict: Conflict | None = None
    words: tuple[str, ...]


class Mention(Entry):
    """Words around a title that tell that its holder is not the accused.

    ``before`` and ``after`` stand straight beside the title, but for words that only fill;
    when both are given both must be there. ``opening``: the title opens its sentence.
    ``closing``: nothing follows it in its clause. ``honoured``: it is called *bapak* or the
    like. ``of``: only for such titles. ``asked``: somebody is asked for something before it.
    ``weak``: only where somebody else is accused. ``aides``: also for who is near the holder. ``unless_acting``: not when an act follows
    before anybody else is named. ``unless``: not when one of these stands near;
    ``unless_before`` and ``unless_after``:
    not when one of these stands straight beside it.
    """

    kind: str
    of: tuple[Literal["KDH", "INS", "other"], ...] = ("KDH", "INS", "other")
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    opening: StrictBool = False
    closing: StrictBool = False
    honoured: StrictBool = False
    asked: StrictBool = False
    aides: StrictBool = True
    weak: StrictBool = False
    unless_acting: StrictBool = False
    unless: tuple[str, ...] = ()
    unless_before: tuple[str, ...] = ()
    unless_after: tuple[str, ...] = ()


class Accused(Entry):
    """``accused.toml``: titles, who is near them, and who is only mentioned."""

    titles: tuple[Title, ...] = Field(validation_alias="title")
    groups: dict[str, tuple[str, ...]] = Field(validation_alias="group")
    mentions: tuple[Mention, ...] = Field(validation_alias="mention")
    aides: tuple[str, ...]
    aides_alone: tuple[str, ...]
    aides_behind: tuple[str, ...]
    filling: tuple[str, ...]
    honours: tuple[str, ...]
    greetings: tuple[str, ...]
    asking: tuple[str, ...]
    between: tuple[str, ...]
    acting: tuple[str, ...]
    incriminating: tuple[str, ...]
    passing: tuple[str, ...]
    others: tuple[str, ...]
    following: tuple[str, ...]


class Subjects(Entry):
    """``subjects.toml``: words of categories, of corruption, and of urgency, by code."""

    groups: dict[str, tuple[str, ...]] = Field(validation_alias="group")
    categories: dict[str, tuple[str, ...]] = Field(validation_alias="category")
    hints: dict[str, tuple[str, ...]] = Field(validation_alias="hint")
    corruption: tuple[str, ...]
    not_about: tuple[str, ...] = ()
    signs: dict[str, tuple[str, ...]] = Field(validation_alias="sign")


class OwnWords(Entry):
    """``own_words.toml``: what an agency adds."""

    titles: tuple[Title, ...] = Field(default=(), validation_alias="title")
    categories: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, validation_alias="category"
    )
    signs: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, validation_alias="sign"
    )


class _Files(Entry):
    """The files by their names."""

    accused: Accused = Field(validation_alias="accused.toml")
    subjects: Subjects = Field(validation_alias="subjects.toml")
    spelling: Spelling = Field(validation_alias="spelling.toml")
    own: OwnWords = Field(validation_alias="own_words.toml")


@dataclass(frozen=True)
class Lexicon:
    """Everything that ``read`` looks words up in. Build it once, with ``load``.

    ``befores``, ``afters`` and their ``not_`` stand for numbers in ``mentions``; categories
    and signs for their codes. Of a category its phrases count by their length.
    """

    speller: Speller
    mentions: tuple[Mention, ...]
    titles: Phrases[Title]
    befores: Phrases[int]
    afters: Phrases[int]
    not_befores: Phrases[int]
    not_afters: Phrases[int]
    nots: Phrases[int]
    aides: Phrases[bool]
    aides_alone: Phrases[bool]
    aides_behind: Phrases[bool]
    greetings: Phrases[bool]
    asking: Phrases[bool]
    acting: Phrases[bool]
    incriminating: Phrases[bool]
    others: Phrases[bool]
    categories: Phrases[str]
    hints: Phrases[str]
    corruption: Phrases[bool]
    not_about: Phrases[bool]
    signs: Phrases[str]
    filling: frozenset[str]
    honours: frozenset[str]
    between: frozenset[str]
    following: frozenset[str]
    passing: frozenset[str]
    order: tuple[str, ...]

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
        try:
            return cls._built(files)
        except ValueError as error:
            raise RulesInvalid(f"{jurisdiction}/words: {error}") from error

    @classmethod
    def _built(cls, files: _Files) -> Self:
        accused, subjects, own = files.accused, files.subjects, files.own
        groups = grouped(accused.groups)
        about = grouped(subjects.groups)
        mentions = accused.mentions
        phrases: dict[str, Phrases[Any]] = {
            "titles": _learnt(
                ((title.words, title) for title in (*accused.titles, *own.titles)), groups
            ),
            "befores": _numbered("before", mentions, groups, backwards=True),
            "afters": _numbered("after", mentions, groups),
            "not_befores": _numbered("unless_before", mentions, groups, backwards=True),
            "not_afters": _numbered("unless_after", mentions, groups),
            "nots": _numbered("unless", mentions, groups),
            "aides": _learnt([(accused.aides, True)], groups, backwards=True),
            "aides_alone": _learnt([(accused.aides_alone, True)], groups),
            "aides_behind": _learnt([(accused.aides_behind, True)], groups),
            "greetings": _learnt([(accused.greetings, True)], groups, backwards=True),
            "asking": _learnt([(accused.asking, True)], groups),
            "acting": _learnt([(accused.acting, True)], groups),
            "others": _learnt([(accused.others, True)], groups),
            "incriminating": _learnt([(accused.incriminating, True)], groups),
            "categories": _learnt(_coded(subjects.categories, own.categories), about),
            "hints": _learnt(_coded(subjects.hints), about),
            "corruption": _learnt([(subjects.corruption, True)], about),
            "not_about": _learnt([(subjects.not_about, True)], about),
            "signs": _learnt(_coded(subjects.signs, own.signs), about),
        }
        single = {
            name: _single(getattr(accused, name), groups)
            for name in ("filling", "honours", "between", "following", "passing")
        }
        words = [found.vocabulary for found in phrases.values()]
        known = frozenset().union(*words, *single.values()) - _MARKS
        return cls(
            speller=Speller(files.spelling, known),
            mentions=mentions,
            order=tuple(subjects.categories),
            **phrases,
            **single,
        )


def _refuse_unknown(files: _Files, codes: dict[str, frozenset[str]]) -> None:
    """Refuse a position or a category that no table knows."""
    titles = (*files.accused.titles, *files.own.titles)
    positions = {title.position for title in titles} - {"", INSPECTORATE}
    subjects = files.subjects
    categories = {*subjects.categories, *subjects.hints, *files.own.categories}
    for name, used in (("positions.toml", positions), ("categories.toml", categories)):
        for code in sorted(used - codes[name]):
            raise RulesInvalid(f"{code} does not stand in {name}")


def _learnt(
    rows: Iterable[tuple[Iterable[str], Any]], groups: Groups, *, backwards: bool = False
) -> Phrases[Any]:
    found: Phrases[Any] = Phrases(backwards=backwards)
    for texts, stands_for in rows:
        found.add(texts, stands_for, groups)
    return found


def _numbered(
    key: str, mentions: Iterable[Mention], groups: Groups, *, backwards: bool = False
) -> Phrases[int]:
    rows = ((getattr(mention, key), at) for at, mention in enumerate(mentions))
    return _learnt(rows, groups, backwards=backwards)


def _coded(*tables: dict[str, tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
    for table in tables:
        for code, texts in table.items():
            yield texts, code


def _single(texts: Iterable[str], groups: Groups) -> frozenset[str]:
    found: Phrases[bool] = _learnt([(texts, True)], groups)
    return frozenset(found.vocabulary)
