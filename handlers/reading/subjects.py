"""What a report is about, corruption or not, and what makes it urgent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.reading.lexicon import About
from handlers.reading.spelling import Word
from storage.words import Group, Track

_HINTS = 6
"""So many hints weigh as much as one word of a phrase."""

_CORRUPTION = frozenset({Group.COR, Group.PRC, Group.POS})


@dataclass(frozen=True, slots=True)
class Subject:
    """Codes of what the words are about; ``""``, None and nothing where they do not say."""

    category: str
    track: Track | None
    signs: frozenset[str]


def subject(words: Sequence[Word], about: About) -> Subject:
    """Return what these words are about.

    Of several categories the one with the longest and most phrases wins, and of equals the
    one that stands first in the data. A report of corruption in any category is one.
    """
    said: Counter[str] = Counter()
    track = None
    for place in range(len(words)):
        heaviest: dict[str, int] = {}
        for hit in about.categories.at(words, place):
            code, weight = hit.meaning, hit.weight * _HINTS
            heaviest[code] = max(weight, heaviest.get(code, 0))
        said.update(heaviest)
        said.update(hit.meaning for hit in about.hints.at(words, place))
        if about.corruption.longest(words, place):
            track = Track.TPK
    category = max(said, key=lambda code: (said[code], -_rank(code, about)), default="")
    if category and track is None:
        track = track_of(category)
    return Subject(category, track, _signs(words, about))


def _rank(code: str, about: About) -> int:
    return about.order.index(code) if code in about.order else len(about.order)


def track_of(category: str) -> Track:
    """Return the track of a category by its group."""
    corrupt = category.partition("-")[0] in _CORRUPTION
    return Track.TPK if corrupt else Track.NON_TPK


def _signs(words: Sequence[Word], about: About) -> frozenset[str]:
    """Return the signs of urgency, but for words that name something harmless."""
    found: set[str] = set()
    place = 0
    while place < len(words):
        harmless = about.harmless.longest(words, place)
        if harmless is None:
            found.update(hit.meaning for hit in about.signs.at(words, place))
        place += harmless.length if harmless else 1
    return frozenset(found)
