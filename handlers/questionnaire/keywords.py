"""The words that reporters use, in every language, and how near a word must be.

Both languages' keywords are always understood. ``keywords.toml`` holds ``[commands]``
(words that act anywhere), ``[words]`` (words of choices) and ``[numerals]``.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, Field

from handlers.rules.rulefile import Entry, checked, parsed

_DEFAULT: Final = files("handlers").joinpath("rules", "id", "keywords.toml")
_SHORT: Final = 4
_LONG: Final = 9
_READ_AT_MOST: Final = 200
"""Only this many letters are compared: a keyword is never longer."""


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised command. ``languages`` are those in which it is a word.

    ``rest`` is what followed it in the message, as it was written.
    """

    command: str
    languages: frozenset[str]
    rest: str = field(default="", repr=False)


def normalise(text: str) -> str:
    """Fold case, marks, punctuation, zero-width letters and spaces away."""
    folded = unicodedata.normalize("NFKD", text[:_READ_AT_MOST].casefold())
    kept = (_fold(letter) for letter in folded)
    return " ".join("".join(kept).split())


def _fold(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Nd":
        return str(unicodedata.digit(letter))
    if category[0] in "LN":
        return letter
    return "" if category[0] == "M" or category == "Cf" else " "


def is_blank(text: str) -> bool:
    """Say whether nothing visible was written."""
    return not any(
        unicodedata.category(letter)[0] not in "ZC" or letter == "\ufffd"
        for letter in text
    )


def near(one: str, other: str) -> bool:
    """Say whether two normalised words differ by a slip of the thumb.

    A slip is one letter wrong, missing, added or swapped; two in words of nine letters
    or more; none in words shorter than four.
    """
    length = min(len(one), len(other))
    allowed = 0 if length < _SHORT else 1 if length < _LONG else 2
    return abs(len(one) - len(other)) <= allowed and _distance(one, other) <= allowed


def _distance(one: str, other: str) -> int:
    """Count wrong, missing, added and swapped letters between two short words."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


Folded: TypeAlias = frozenset[Annotated[str, AfterValidator(normalise)]]
"""Words of a rule file, normalised."""


class Keywords(Entry):
    """Commands, words of choices and numerals of all languages, by code and language.

    ``chat_only`` are the words of commands that never reach us by SMS.
    """

    commands: dict[str, dict[str, Folded]]
    written: dict[str, dict[str, tuple[str, ...]]] = Field(validation_alias="words")
    counting: dict[str, tuple[str, ...]] = Field(validation_alias="numerals")
    chat_only: dict[str, Folded] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read a ``keywords.toml`` (ours when no path is given)."""
        name = str(path or _DEFAULT)
        return checked(parsed(path or _DEFAULT, name), cls.model_validate, name)

    @cached_property
    def words(self) -> Mapping[str, frozenset[str]]:
        """Words of choices in all languages, normalised."""
        return {
            code: frozenset(normalise(word) for words in row.values() for word in words)
            for code, row in self.written.items()
        }

    @cached_property
    def numerals(self) -> Mapping[str, int]:
        """Numbers by their words, normalised."""
        return {
            normalise(word): number
            for words in self.counting.values()
            for number, word in enumerate(words, start=1)
        }

    @cached_property
    def _languages(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        """Every command word with its command and the languages that have it."""
        found: dict[str, tuple[str, frozenset[str]]] = {}
        for command, row in self.commands.items():
            for language, words in row.items():
                for word in words:
                    before = found.get(word, (command, frozenset()))
                    found[word] = (command, before[1] | {language})
        return found

    def of(self, code: str) -> frozenset[str]:
        """Return the words of this choice or command, in all languages."""
        commands = self.commands.get(code, {})
        return self.words.get(code, frozenset()).union(*commands.values())

    def spoken(self, code: str, language: str) -> str:
        """Return a choice in full: the first of its words in this language."""
        row = self.written.get(code, {})
        words = row.get(language) or next(filter(None, row.values()), (code,))
        return words[0].capitalize()

    def is_pass(self, text: str) -> bool:
        """Say whether the whole message means "go on without an answer"."""
        said = normalise(text)
        passing = self.of("SKIP") | self.of("DONTKNOW")
        return any(near(said, word) for word in passing)

    def whole(self, text: str) -> Word | None:
        """Return the command that the whole message is, if it is one."""
        found = self._languages.get(normalise(_bare(text)))
        return Word(*found) if found else None

    def first(self, text: str) -> Word | None:
        """Return the command that the message begins with, and what followed it."""
        head, _, rest = _bare(text).strip().partition(" ")
        for cut in (":", ",", "\n", "\t"):
            before, mark, after = head.partition(cut)
            if mark:
                head, rest = before, f"{after} {rest}"
        found = self._languages.get(normalise(head))
        return Word(*found, rest=rest.strip()) if found else None

    def nearest(self, text: str) -> Word | None:
        """Return the only command within a slip of the whole message."""
        said = normalise(_bare(text))
        hits = {
            found[0]: found
            for word, found in self._languages.items()
            if near(said, word)
        }
        return Word(*next(iter(hits.values()))) if len(hits) == 1 else None


def _bare(text: str) -> str:
    """Drop slash and bot's name of a chat command (``/status@a_bot``), a link's payload."""
    text = text.lstrip()
    if not text.startswith("/"):
        return text
    head, space, rest = text[1:].partition(" ")
    head = head.partition("@")[0]
    payload = head == "start" and len(rest.split()) == 1
    return head if payload else head + space + rest
