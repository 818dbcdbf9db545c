"""Titles in a text, and the people told of beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.reading.entries import Title
from handlers.reading.lexicon import People
from handlers.reading.spelling import Word

_FILLING = 6
"""Most words that may stand between a title and what it belongs to."""


@dataclass(frozen=True, slots=True)
class Found:
    """A title in a text, from ``start`` to before ``end``, and what excuses its holder.

    ``aide``: it is told of somebody near its holder. ``weak``: what excuses its holder does
    so only where somebody else is accused.
    """

    title: Title
    start: int
    end: int
    aide: bool = False
    excused: str = ""
    weak: bool = False

    @property
    def kind(self) -> str:
        """Return what a rule calls such a title."""
        return self.title.conflict or "other"


def titled(words: Sequence[Word], people: People) -> Iterator[Found]:
    """Yield the longest title at each place, with the aide or relative it is told of."""
    place = 0
    while place < len(words):
        hit = people.titles.longest(words, place)
        if hit is None:
            place += 1
            continue
        title, end = hit.meaning, place + hit.length
        start, after = place, end
        if title.conflict:
            start = _from_aide(words, start, people)
            behind = people.aides_behind.longest(words, end)
            after += behind.length if behind else 0
        yield Found(title, start, after, aide=(start, after) != (place, end))
        place = after


def _from_aide(words: Sequence[Word], start: int, people: People) -> int:
    """Return where *orang dekat pak bupati* begins; ``start`` when no aide stands there."""
    for place in lefts(words, start, people):
        hit = people.aides.longest(words, place - 1)
        if hit:
            return place - hit.length
    return start


def lefts(words: Sequence[Word], start: int, people: People) -> Iterator[int]:
    """Yield the place of a title, and each before it that only filling words part."""
    yield start
    for place in range(start - 1, max(start - 1 - _FILLING, -1), -1):
        if people.filling.isdisjoint(words[place]):
            return
        yield place


def aides_alone(
    words: Sequence[Word], found: Sequence[Found], people: People
) -> Iterator[bool]:
    """Yield an aide told of without a title, in a text that names a head elsewhere."""
    taken = {place for one in found for place in range(one.start, one.end)}
    starts = {one.start for one in found}
    for place in range(len(words)):
        for hit in people.aides_alone.at(words, place):
            if place not in taken and place + hit.length not in starts:
                yield True
