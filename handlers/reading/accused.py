"""Who is accused, told from who is only mentioned.

Whoever bears a title that the data knows counts as accused unless the words around the title
say that they are only spoken to, a place, an earlier report, somebody who helped or was
wronged, the name of a decree, or expressly not meant. What no rule excuses accuses: a report
wrongly kept from its own office costs a way, one wrongly shown to the accused a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handlers.reading.entries import Conflict
from handlers.reading.lexicon import Lexicon
from handlers.reading.spelling import Word
from handlers.reading.surroundings import Surroundings
from handlers.reading.titles import Found, aides_alone, titled

_MOST = 150
"""Mentions that are weighed; in a text with more of them nobody else is excused."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Who is accused: classes of conflict, and the position of the first accused."""

    conflicts: frozenset[Conflict]
    position: str


def weigh(words: Sequence[Word], lexicon: Lexicon) -> Weighed:
    """Return who is accused by these words."""
    found = mentions(words, lexicon)
    accused = [one for one in found if not one.excused]
    conflicts = {one.title.conflict for one in accused if one.title.conflict}
    heads = any(one.title.conflict == "KDH" for one in found)
    if heads and any(aides_alone(words, found, lexicon.people)):
        conflicts.add("KDH")
    in_conflict = [one for one in accused if one.title.conflict]
    if conflicts and not in_conflict:
        return Weighed(frozenset(conflicts), "KDH")
    positions = [one.title.position for one in (*in_conflict, *accused)]
    return Weighed(frozenset(conflicts), next(filter(None, positions), ""))


def mentions(words: Sequence[Word], lexicon: Lexicon) -> list[Found]:
    """Return every title in these words, each with what excuses its holder."""
    found: list[Found] = []
    titles = list(titled(words, lexicon.people))
    starts = {one.start: one for one in titles}
    for one in titles[:_MOST]:
        around = Surroundings(words, one, starts, lexicon)
        kind, weak = around.excuse(found[-1] if found else None)
        found.append(replace(one, excused=kind, weak=weak))
    found += titles[_MOST:]
    somebody = any(lexicon.people.others.within(words, 0, len(words)))
    if somebody or any(not one.excused for one in found):
        return found
    return [replace(one, excused="") if one.weak else one for one in found]
