"""A message as words, whatever its spelling.

People write in capitals, in SMS shorthand (*yg*, *dgn*), with digits for letters
(*bup4ti*), letters repeated (*bupatiii*), dotted (*b.u.p.a.t.i*) or run together
(*pakbupati*). All of these become the same word.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from pydantic import Field

from handlers.rules.rulefile import Entry

READ_AT_MOST: Final = 48_000
"""Letters of one message that are read; no channel takes one as long."""

Word: TypeAlias = tuple[str, ...]
"""One word of a message: as it was understood, then without its endings."""

STOP: Final[Word] = (".",)
COMMA: Final[Word] = (",",)

_LONGEST = 40
_ADDRESS = re.compile(
    r"https?://\S{1,500}|www\.\S{1,500}|\S{1,64}@[\w-]{1,64}\.\S{1,64}"
)
_DOTTED = re.compile(r"(?<!\w)[^\W\d_](?:[.\-_* ][^\W\d_]){3,20}(?!\w)")
_PIECE = re.compile(r"[^\W_]+(?:[*@$][^\W_]+)*|[.!?;\n,:()\"]")
_FIGURE = re.compile(r"(?<=\d)[.,](?=\d)")
_DOUBLED = re.compile(r"([a-z]{2,})2([a-z]{0,4})")
_REPEATED = re.compile(r"(.)\1+")
_AMOUNT = re.compile(r"\d+[a-z]{0,4}")
_ENDINGS = re.compile(r"(?<=[a-z]{3})(?:nya|lah|kah|pun|ku|mu|ne|ny|s)$")
_SIGNS = frozenset("0123456789*@$")
_DIGITS = str.maketrans("013456789@$", "oieasgtbgas")
_LOOKALIKES = str.maketrans("аеорсухікмтнвё", "aeopcyxikmthbe")
_SENTENCE = frozenset(".!?;\n")


def plain(word: str) -> str:
    """Return a word of small letters without repetition: *koruppsi* is *korupsi*."""
    return _REPEATED.sub(r"\1", word)


def folded(text: str) -> str:
    """Fold case, marks, invisible letters and foreign letters that look like ours away."""
    letters = unicodedata.normalize("NFKD", text[:READ_AT_MOST]).casefold()
    letters = letters[:READ_AT_MOST].translate(_LOOKALIKES)
    if letters.isascii():
        return letters
    return "".join(
        letter for letter in letters if unicodedata.category(letter) not in _UNSEEN
    )


_UNSEEN = frozenset({"Mn", "Me", "Cf"})


class Spelling(Entry):
    """``spelling.toml``: how words are shortened and misspelt."""

    short: dict[str, str]
    near: tuple[str, ...]
    whole: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    abbreviated: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    same: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @cached_property
    def meant(self) -> Mapping[str, tuple[str, ...]]:
        """What is meant by each short or misspelt word, itself perhaps several words."""
        found = {plain(short): _words(meant) for short, meant in self.short.items()}
        for meant, spellings in self.same.items():
            found |= {plain(spelling): _words(meant) for spelling in spellings}
        return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(plain(word) for word in text.split())


def _without_one(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


@dataclass(frozen=True)
class Speller:
    """Reads words; ``known`` are all words of the data, which are never corrected."""

    spelling: Spelling
    known: frozenset[str]

    @cached_property
    def _near(self) -> Mapping[str, str]:
        """Words worth finding, by themselves with any one letter left out."""
        found: dict[str, str] = {}
        for word in map(plain, self.spelling.near):
            found |= dict.fromkeys(_without_one(word) | {word}, word)
        return found

    @cached_property
    def _whole(self) -> frozenset[str]:
        return self.known.union(map(plain, self.spelling.whole))

    @cached_property
    def _abbreviated(self) -> frozenset[str]:
        return frozenset(self.spelling.abbreviated)

    @cached_property
    def _inside(self) -> tuple[str, ...]:
        return tuple(map(plain, self.spelling.inside))

    def words(self, text: str) -> list[Word]:
        """Return the words of a text in order, with the ends of its sentences.

        A word said twice running is one. Addresses of pages and mail are no words:
        *inspektorat.go.id* accuses nobody.
        """
        text = _ADDRESS.sub(" ", folded(text))
        text = _DOTTED.sub(lambda found: re.sub(r"[^\w]|_", "", found[0]), text)
        text = _FIGURE.sub("", text)
        for pair in self.spelling.joined:
            text = text.replace(pair, pair.replace(" ", ""))
        found: list[Word] = []
        seen: dict[str, list[Word]] = {}
        before = ""
        for piece in _PIECE.findall(text):
            if not piece[0].isalnum():
                mark = STOP if piece in _SENTENCE else COMMA
                shortened = piece == "." and before in self._abbreviated
                if found and not shortened and found[-1] != STOP:
                    found.append(mark)
            else:
                words = seen.get(piece)
                if words is None:
                    words = seen[piece] = self._meant(piece)
                again = bool(found) and found[-1] == words[0]
                found += words[again:]
            before = piece
        return found

    def _meant(self, piece: str) -> list[Word]:
        """Return the words that one piece of text stands for."""
        piece = piece[:_LONGEST]
        if any(letter in _SIGNS for letter in piece):
            piece = _lettered(piece)
        word, bare = plain(piece), plain(_ENDINGS.sub("", piece))
        meant = self.spelling.meant.get(word)
        if meant is None and word not in self._whole and bare not in self._whole:
            meant = self.spelling.meant.get(bare)
        return [(part,) for part in meant] if meant else [self._word(word, bare)]

    def _word(self, word: str, bare: str) -> Word:
        both = (word, bare) if bare != word else (word,)
        if not self._whole.isdisjoint(both):
            return both
        for spelling in both:
            near = self._nearest(spelling)
            if near:
                return (near,)
        inside = next((part for part in self._inside if part in word), "")
        return (inside,) if inside else both

    def _nearest(self, word: str) -> str:
        """Return the word meant by one that has a letter wrong, missing, added or swapped."""
        if not _SHORTEST <= len(word) <= _LONGEST_NEAR:
            return ""
        if word in self._near:
            return self._near[word]
        return next((self._near[w] for w in _without_one(word) if w in self._near), "")


_SHORTEST, _LONGEST_NEAR = 5, 14


def _lettered(word: str) -> str:
    """Return letters for the digits and signs that stand for them: *bup4ti*, *kades2*."""
    word = word.replace("*", "")
    doubled = _DOUBLED.fullmatch(word)
    if doubled:
        return plain(doubled[1] + doubled[2])
    if _AMOUNT.fullmatch(word):
        return word
    return plain(word.translate(_DIGITS))
