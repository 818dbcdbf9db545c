"""Which place a text names: in the answer to the place question, or in a story.

The answer is about a place, so a bare name counts in it, and one with a slip of a letter.
In a story a name counts only beside a word that makes it a place (``places.toml`` lists
them): *Batu*, *Pati* and *Buru* are words too. Both take any text, and a time that grows
with its length, up to a bound, and not with the table's.

Of several places the one that is named most surely counts; of equals that of the agency's
``own`` province; else none: a report that goes to the wrong place is worse than one that
goes to the unit for everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from handlers.reading.mentions import Mention, Sentence, Sure
from handlers.rules.gazetteer import Gazetteer
from handlers.rules.regions import KINDS

_ANSWER: Final = 40
"""Words up to which a text is looked through for misspelt names."""


@dataclass(frozen=True, slots=True)
class Place:
    """Codes of a province, and of its regency or city where the text tells it.

    ``among`` are the regencies that it may be where it tells several.
    """

    province: str
    regency: str | None = None
    among: tuple[str, ...] = ()


def answered(text: str, table: Gazetteer, own: str | None) -> Place | None:
    """Return the place that an answer to the place question names, if it is one."""
    sentence = Sentence(text, table)
    found = list(sentence.mentions())
    if len(sentence.words) <= _ANSWER:
        found = _corrected(found, sentence.misspelt(found))
    return _decided(sentence.answering(_confirmed(found, sentence)), own)


def told(text: str, table: Gazetteer, own: str | None) -> Place | None:
    """Return the place of a story, if words beside the name make it one."""
    sentence = Sentence(text, table)
    found = _confirmed(list(sentence.mentions()), sentence)
    return _decided([one for one in found if one.sure >= Sure.LIKELY], own)


def _corrected(found: Sequence[Mention], slips: Sequence[Mention]) -> list[Mention]:
    """Take names with a slip for shorter ones inside them, and where no regency is named."""
    covered = [
        (one, slip)
        for one in found
        for slip in slips
        if slip.start <= one.start and one.end <= slip.end
    ]
    if any(one.is_regency for one in found):
        slips = [slip for slip in slips if any(slip is long for _, long in covered)]
    short = [one for one, _ in covered]
    return [*(one for one in found if one not in short), *slips]


def _confirmed(found: Sequence[Mention], sentence: Sentence) -> list[Mention]:
    """Make sure of a regency and its province where they stand side by side."""
    sure = sorted(found, key=lambda one: one.start)
    for at in range(1, len(sure)):
        one, other = sure[at - 1 : at + 1]
        between = sentence.roles[one.end : other.start]
        if all(role in KINDS for role in between):
            sure[at - 1 : at + 1] = _together(one, other, sentence.table)
    return sure


def _together(
    one: Mention, other: Mention, table: Gazetteer
) -> tuple[Mention, Mention]:
    """Make sure of neighbours if the first is in the second, or the other way round."""
    small, large = (one, other) if one.is_regency else (other, one)
    inside = frozenset(
        code
        for code in small.codes
        if not large.codes.isdisjoint(
            {code[:2], *table.words.once_in.get(code[:2], ())}
        )
    )
    if not small.is_regency or not inside or (small.ordinary and small is other):
        return one, other
    placed = replace(small, codes=inside, sure=Sure.YES)
    around = replace(large, codes=placed.provinces, sure=Sure.YES)
    return (placed, around) if small is one else (around, placed)


def _decided(found: Sequence[Mention], own: str | None) -> Place | None:
    """Return the one place of what is named, by the surest names first."""
    tiers = [[one for one in found if one.sure is sure] for sure in reversed(Sure)]
    tiers = [tier for tier in tiers if tier]
    province = _province(tiers, own)
    if not province:
        return None
    left: frozenset[str] = frozenset()
    for tier in tiers:
        named = _regencies(tier, province)
        left = (left & named) or left or named
    regency = next(iter(left)) if len(left) == 1 else None
    return Place(province, regency, () if regency else tuple(sorted(left)))


def _province(tiers: Sequence[Sequence[Mention]], own: str | None) -> str:
    """Return the province on which the surest names agree, the others asked if need be."""
    if not tiers:
        return ""
    possible = _shared([one.provinces for one in tiers[0]])
    for tier in tiers[1:]:
        possible = _shared([possible, *(one.provinces for one in tier)]) or possible
    named = possible or frozenset().union(*(one.provinces for one in tiers[0]))
    if len(named) == 1:
        return next(iter(named))
    return own if own and own in named else ""


def _regencies(tier: Sequence[Mention], province: str) -> frozenset[str]:
    """Return the regencies of a province that equal names agree on, else all they name."""
    sets = [
        frozenset(code for code in one.codes if code[:2] == province)
        for one in tier
        if province in one.provinces and one.is_regency
    ]
    return (_shared(sets) or frozenset().union(*sets)) if sets else frozenset()


def _shared(sets: Sequence[frozenset[str]]) -> frozenset[str]:
    return frozenset.intersection(*sets)
