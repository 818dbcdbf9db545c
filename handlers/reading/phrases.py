"""The small language in which the data says what people write.

A phrase is words with a space between them, and:

- ``setor~``: any everyday form of a root: *menyetor, disetorkan, setoran, nyetor*
- ``bapak|ibu``: either word in this place; ``stempel|tanda_tangan`` where one is of two words
- ``..``: up to three words, whatever they are
- ``{money}``: any phrase of that group
- ``,``: the end of a clause
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from handlers.reading.spelling import STOP, Word, plain

T = TypeVar("T")

Place: TypeAlias = frozenset[str] | None
"""The words that fit one place of a phrase; None is the gap."""
Phrase: TypeAlias = tuple[Place, ...]
Groups: TypeAlias = Mapping[str, Sequence[Phrase]]

GAP: Final = 3
_VOWELS: Final = "aeiou"
_NASAL: Final = {"p": "m", "t": "n", "k": "ng", "s": "ny"}
_KEPT: Final = {
    **dict.fromkeys("bf", "mem"),
    **dict.fromkeys("lrmnwy", "me"),
    **dict.fromkeys("cdjz", "men"),
}
_BEFORE: Final = ("", "di", "ter", "ber", "ke", "se", "diper", "memper", "per", "tak")
_AFTER: Final = ("", "kan", "i", "an", "in", "ken", "ke")


def forms(root: str) -> frozenset[str]:
    """Return everyday forms of an Indonesian root, as ``spelling`` writes words."""
    first, rest = root[0], root[1:]
    fronts = {front + root for front in _BEFORE}
    if first in _NASAL:
        nasal = _NASAL[first] + rest
        fronts |= {nasal, "me" + nasal, "pe" + nasal, "di" + nasal}
    elif first in _VOWELS or first in "gh":
        fronts |= {f"{front}ng{root}" for front in ("", "me", "pe")}
    kept = _KEPT.get(first, "me")
    fronts |= {kept + root, "p" + kept[1:] + root, "nge" + root}
    if first == "c":
        fronts |= {"ny" + rest, "meny" + rest}
    return frozenset(plain(front + end) for front in fronts for end in _AFTER)


def compiled(text: str, groups: Groups) -> list[Phrase]:
    """Return what a phrase means, each multi-word alternative by itself.

    Raises ``ValueError`` for a group that does not exist and for a gap that is not between
    words.
    """
    choices = [_part(part, groups) for part in text.split()]
    found = [tuple(itertools.chain(*ways)) for ways in itertools.product(*choices)]
    gaps = (None, *(None if part == ".." else part for part in text.split()), None)
    if not text.strip() or any(pair == (None, None) for pair in pairwise(gaps)):
        raise ValueError(f"{text!r} begins or ends with a gap, or has two together")
    return found


def grouped(written: Mapping[str, Iterable[str]]) -> Groups:
    """Return groups of phrases; each may use those that stand before it."""
    groups: dict[str, Sequence[Phrase]] = {}
    for name, texts in written.items():
        groups[name] = [way for text in texts for way in compiled(text, groups)]
    return groups


def _part(part: str, groups: Groups) -> list[Phrase]:
    if part == "..":
        return [(None,)]
    if part.startswith("{"):
        name = part.strip("{}")
        if name not in groups:
            raise ValueError(f"{part} is no group")
        return _merged(groups[name])
    return _merged([_alternative(words) for words in part.split("|")])


def _merged(ways: Sequence[Phrase]) -> list[Phrase]:
    """Return alternatives, those of a single word as one."""
    single = [way[0] for way in ways if len(way) == 1 and way[0] is not None]
    merged: list[Phrase] = [(frozenset().union(*single),)] if single else []
    return merged + [way for way in ways if len(way) > 1]


def _alternative(words: str) -> Phrase:
    return tuple(
        forms(word[:-1]) if word.endswith("~") else frozenset({plain(word)})
        for word in words.split("_")
    )


class Hit(NamedTuple, Generic[T]):
    """A phrase at a place of a text: how far it reaches, its words without gaps."""

    length: int
    weight: int
    meaning: T


@dataclass(slots=True)
class _Ways(Generic[T]):
    """What may follow one first word, by the second where that is worth its room."""

    seconds: dict[str, list[tuple[Phrase, T]]] = field(default_factory=dict)
    others: list[tuple[Phrase, T]] = field(default_factory=list)


_WORTH = 3_000


@dataclass(frozen=True)
class Phrases(Generic[T]):
    """Phrases with what each of them means, found at a place of a text.

    ``backwards`` finds those that end there.
    """

    backwards: bool = False
    _by_first: dict[str, _Ways[T]] = field(default_factory=dict)
    vocabulary: set[str] = field(default_factory=set)

    def add(self, texts: Iterable[str], meaning: T, groups: Groups) -> None:
        """Learn phrases. Raises ``ValueError`` for one that is none."""
        for phrase in (way for text in texts for way in compiled(text, groups)):
            self._learn(phrase[::-1] if self.backwards else phrase, meaning)

    def _learn(self, phrase: Phrase, meaning: T) -> None:
        self.vocabulary.update(*filter(None, phrase))
        firsts, rest = phrase[0] or frozenset(), phrase[1:]
        seconds = rest[0] if rest else None
        indexed = seconds and len(firsts) * len(seconds) <= _WORTH
        for first in firsts:
            ways = self._by_first.setdefault(first, _Ways())
            if not indexed or seconds is None:
                ways.others.append((rest, meaning))
                continue
            for second in seconds:
                ways.seconds.setdefault(second, []).append((rest, meaning))

    def at(self, words: Sequence[Word], place: int) -> Sequence[Hit[T]]:
        """Return each phrase that begins (or ends) at this place."""
        if not 0 <= place < len(words):
            return ()
        found: list[Hit[T]] = []
        for key in words[place]:
            ways = self._by_first.get(key)
            if ways is not None:
                self._follow(ways, words, place, found)
        return found

    def _follow(
        self, ways: _Ways[T], words: Sequence[Word], place: int, found: list[Hit[T]]
    ) -> None:
        step = -1 if self.backwards else 1
        following = place + step
        rests = ways.others
        if ways.seconds and 0 <= following < len(words):
            for key in words[following]:
                rests = rests + ways.seconds.get(key, [])
        for rest, meaning in rests:
            end = _end(rest, words, following, step)
            if end is not None:
                weight = 1 + sum(part is not None for part in rest)
                found.append(Hit(abs(end - place), weight, meaning))

    def longest(self, words: Sequence[Word], place: int) -> Hit[T] | None:
        """Return the phrase at this place that reaches furthest, if there is one."""
        hits = self.at(words, place)
        return max(hits, key=lambda hit: hit.length) if hits else None

    def within(self, words: Sequence[Word], start: int, end: int) -> Iterator[T]:
        """Yield the meanings of the phrases that begin between two places."""
        for place in range(max(start, 0), min(end, len(words))):
            for hit in self.at(words, place):
                yield hit.meaning


def _end(
    rest: Phrase, words: Sequence[Word], place: int, step: int, start: int = 0
) -> int | None:
    """Return the place after a phrase whose rest fits here; None when it does not."""
    for at in range(start, len(rest)):
        wanted = rest[at]
        if wanted is None:
            return _after_gap(rest, words, place, step, at + 1)
        if not 0 <= place < len(words) or wanted.isdisjoint(words[place]):
            return None
        place += step
    return place


def _after_gap(
    rest: Phrase, words: Sequence[Word], place: int, step: int, start: int
) -> int | None:
    wanted = rest[start] or frozenset()
    for _ in range(GAP + 1):
        if not 0 <= place < len(words):
            return None
        if not wanted.isdisjoint(words[place]):
            end = _end(rest, words, place + step, step, start + 1)
            if end is not None:
                return end
        if words[place] == STOP:
            return None
        place += step
    return None
