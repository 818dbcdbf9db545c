"""Who is accused, told from who is only mentioned.

Whoever bears a title that the data knows counts as accused unless the words around the title
say that they are only spoken to, a place, an earlier report, somebody who helped or was
wronged, the name of a decree, or expressly not meant. What no rule excuses accuses: a report
wrongly kept from its own office costs a way, one wrongly shown to the accused a person.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from handlers.reading.lexicon import Conflict, Lexicon, Mention, Title
from handlers.reading.phrases import Phrases
from handlers.reading.spelling import COMMA, STOP, Word

_MOST = 150
"""Mentions that are weighed; in a text with more of them nobody else is excused."""
_NEAR = 25
_FILLING = 6
_NAMES = 4
_ACTIVE = re.compile("(?:me[mnlrwy]|nge|ny)[a-z]{4}")
_ACTS = 14
_VERB = re.compile("(?:me[mnlrwy]|nge|ny|di|ber|ter|pura)[a-z]{3}|.{0,3}$")
"""What begins like a verb, or is as short as a small word, names nobody."""


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
    if heads and any(_aides_alone(words, found, lexicon)):
        conflicts.add("KDH")
    in_conflict = [one for one in accused if one.title.conflict]
    if conflicts and not in_conflict:
        return Weighed(frozenset(conflicts), "KDH")
    positions = [one.title.position for one in (*in_conflict, *accused)]
    return Weighed(frozenset(conflicts), next(filter(None, positions), ""))


def mentions(words: Sequence[Word], lexicon: Lexicon) -> list[Found]:
    """Return every title in these words, each with what excuses its holder."""
    found: list[Found] = []
    titles = list(_titled(words, lexicon))
    starts = {one.start: one for one in titles}
    for one in titles[:_MOST]:
        around = _Around(words, one, starts, lexicon)
        kind, weak = around.excuse(found[-1] if found else None)
        found.append(replace(one, excused=kind, weak=weak))
    found += titles[_MOST:]
    somebody = any(lexicon.others.within(words, 0, len(words)))
    if somebody or any(not one.excused for one in found):
        return found
    return [replace(one, excused="") if one.weak else one for one in found]


def _titled(words: Sequence[Word], lexicon: Lexicon) -> Iterator[Found]:
    """Yield the longest title at each place, with the aide or relative it is told of."""
    place = 0
    while place < len(words):
        hit = lexicon.titles.longest(words, place)
        if hit is None:
            place += 1
            continue
        title, end = hit.meaning, place + hit.length
        start, after = place, end
        if title.conflict:
            start = _from_aide(words, start, lexicon)
            behind = lexicon.aides_behind.longest(words, end)
            after += behind.length if behind else 0
        yield Found(title, start, after, aide=(start, after) != (place, end))
        place = after


def _from_aide(words: Sequence[Word], start: int, lexicon: Lexicon) -> int:
    """Return where *orang dekat pak bupati* begins; ``start`` when no aide stands there."""
    for place in _lefts(words, start, lexicon):
        hit = lexicon.aides.longest(words, place - 1)
        if hit:
            return place - hit.length
    return start


def _lefts(words: Sequence[Word], start: int, lexicon: Lexicon) -> Iterator[int]:
    """Yield the place of a title, and each before it that only filling words part."""
    yield start
    for place in range(start - 1, max(start - 1 - _FILLING, -1), -1):
        if lexicon.filling.isdisjoint(words[place]):
            return
        yield place


def _aides_alone(
    words: Sequence[Word], found: Sequence[Found], lexicon: Lexicon
) -> Iterator[bool]:
    """Yield an aide told of without a title, in a text that names a head elsewhere."""
    taken = {place for one in found for place in range(one.start, one.end)}
    starts = {one.start for one in found}
    for place in range(len(words)):
        for hit in lexicon.aides_alone.at(words, place):
            if place not in taken and place + hit.length not in starts:
                yield True


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around one title."""

    words: Sequence[Word]
    one: Found
    starts: dict[int, Found]
    lexicon: Lexicon

    def excuse(self, before: Found | None) -> tuple[str, bool]:
        """Return the kind of the rule that excuses the holder, and whether weakly."""
        lefts = list(_lefts(self.words, self.one.start, self.lexicon))
        rights = list(self._rights())
        beside = _Beside(
            before=self._ending(lefts, "befores"),
            after=self._beginning(rights, "afters"),
            not_before=self._ending(lefts, "not_befores"),
            not_after=self._beginning(list(self._rights(joined=False)), "not_afters"),
        )
        fitting = [
            rule
            for number, rule in enumerate(self.lexicon.mentions)
            if self._fits(number, rule, beside, lefts)
        ]
        if fitting:
            strongest = min(fitting, key=lambda rule: rule.weak)
            return strongest.kind, strongest.weak
        if before and before.excused and self._joined(before, rights):
            return before.excused, before.weak
        if self.one.title.conflict and self._in_passing(lefts[-1], rights):
            return "in passing", True
        return "", False

    def _fits(
        self, number: int, rule: Mention, beside: "_Beside", lefts: Sequence[int]
    ) -> bool:
        return (
            self.one.kind in rule.of
            and (rule.aides or not self.one.aide)
            and beside.allows(number, rule)
            and (not rule.opening or self._opens(lefts[-1]))
            and (not rule.closing or self._closes())
            and (not rule.honoured or self._honoured(lefts))
            and (not rule.asked or self._asked())
            and not (rule.unless and number in self._near())
            and not (rule.unless_acting and self._acts(beside.after.get(number, 0)))
        )

    def _ending(self, places: Sequence[int], name: str) -> frozenset[int]:
        phrases: Phrases[int] = getattr(self.lexicon, name)
        return frozenset(
            hit.meaning for place in places for hit in phrases.at(self.words, place - 1)
        )

    def _beginning(self, places: Sequence[int], name: str) -> dict[int, int]:
        """Return rules by number, each with the place where its words end."""
        phrases: Phrases[int] = getattr(self.lexicon, name)
        found: dict[int, int] = {}
        for place in places:
            for hit in phrases.at(self.words, place):
                end = place + hit.length
                found[hit.meaning] = max(end, found.get(hit.meaning, 0))
        return found

    def _rights(self, *, joined: bool = True) -> Iterator[int]:
        """Yield the place after the title, and each after it that only names part.

        ``joined``: also after the other titles of a list.
        """
        place, end = self.one.end, min(self.one.end + _NAMES, len(self.words))
        most = place + 2 * _ACTS
        yield place
        while place < min(end, most):
            word = self.words[place]
            other = self.starts.get(place + 1) or self.starts.get(place + 2)
            if joined and other and not self.lexicon.between.isdisjoint(word):
                place, end = other.end, min(other.end + _NAMES, len(self.words))
            elif self._names(word):
                place += 1
            else:
                return
            yield place

    def _names(self, word: Word) -> bool:
        """Say whether a word after a title only names its holder or the place."""
        if word in {STOP, COMMA}:
            return False
        lexicon = self.lexicon
        return not lexicon.following.isdisjoint(word) or (
            lexicon.speller.known.isdisjoint(word) and not _VERB.match(word[0])
        )

    def _opens(self, start: int) -> bool:
        """Say whether nothing but greetings stands before this place in its sentence."""
        for _ in range(_FILLING):
            if start == 0 or self.words[start - 1] == STOP:
                return True
            hit = self.lexicon.greetings.longest(self.words, start - 1)
            if hit:
                start -= hit.length
            elif self.words[start - 1] == COMMA:
                start -= 1
            else:
                return False
        return False

    def _closes(self) -> bool:
        end = self.one.end
        return end >= len(self.words) or self.words[end] in {STOP, COMMA}

    def _honoured(self, lefts: Sequence[int]) -> bool:
        before = self.words[lefts[-1] : self.one.end]
        return any(not self.lexicon.honours.isdisjoint(word) for word in before)

    def _asked(self) -> bool:
        start = self.one.start
        return any(self.lexicon.asking.within(self.words, start - _NEAR, start))

    def _acts(self, start: int) -> bool:
        """Say whether an act follows before anybody else is named."""
        start = max(start, self.one.end)
        for place in range(start, min(start + _ACTS, len(self.words))):
            if self.words[place] == STOP or place in self.starts:
                return False
            if self.lexicon.others.longest(self.words, place):
                return False
            if self.lexicon.acting.longest(self.words, place):
                return True
        return False

    def _near(self) -> frozenset[int]:
        """Return the rules that a word of this sentence, near the title, forbids."""
        start, end = self.one.start, self.one.end
        while start > max(0, self.one.start - _NEAR) and self.words[start - 1] != STOP:
            start -= 1
        last = min(len(self.words), self.one.end + _NEAR)
        while end < last and self.words[end] != STOP:
            end += 1
        return frozenset(self.lexicon.nots.within(self.words, start, end))

    def _in_passing(self, start: int, rights: Sequence[int]) -> bool:
        """Say whether a clause only mentions the title, as an object or an address.

        No word before it makes its holder an agent, an owner or whom money is for, and no act
        follows it.
        """
        lexicon, words = self.lexicon, self.words
        last = words[start - 1] if start else STOP
        if self.one.aide or (
            lexicon.passing.isdisjoint(last) and not _ACTIVE.match(last[0])
        ):
            return False
        if any(lexicon.acting.longest(words, place) for place in rights):
            return False
        clause = start
        while clause > max(0, start - _ACTS) and words[clause - 1] not in {STOP, COMMA}:
            clause -= 1
        return not any(lexicon.incriminating.within(words, clause, start))

    def _joined(self, before: Found, rights: Sequence[int]) -> bool:
        """Say whether this title only goes on with the list of the one before."""
        between = self.words[before.end : self.one.start]
        lexicon = self.lexicon
        if not 0 < len(between) <= _NAMES + 1 or STOP in between:
            return False
        if not self.one.title.conflict and not self._closes():
            return False
        joins = [not lexicon.between.isdisjoint(word) for word in between]
        fills = [not lexicon.filling.isdisjoint(word) for word in between]
        rest = [self._names(w) or j or f for w, j, f in zip(between, joins, fills, strict=True)]
        acts = any(lexicon.acting.longest(self.words, place) for place in rights)
        return any(joins) and all(rest) and not acts


@dataclass(frozen=True, slots=True)
class _Beside:
    """Which rules find their words straight beside a title, by number."""

    before: frozenset[int]
    after: dict[int, int]
    not_before: frozenset[int]
    not_after: dict[int, int]

    def allows(self, number: int, rule: Mention) -> bool:
        return (
            (not rule.before or number in self.before)
            and (not rule.after or number in self.after)
            and number not in self.not_before
            and number not in self.not_after
        )
