"""What stands around a title, and whether it excuses who bears it.

The rules are the ``[[mention]]`` entries of ``accused.toml``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.reading.entries import Mention
from handlers.reading.lexicon import Lexicon, People
from handlers.reading.phrases import Phrases
from handlers.reading.spelling import COMMA, STOP, Word
from handlers.reading.titles import Found, lefts

_NEAR, _ACTS, _NAMES, _GREETINGS = 25, 14, 4, 6
"""How many words are looked at: around a title, for an act, for names, for greetings."""

_ACTIVE = re.compile("(?:me[mnlrwy]|nge|ny)[a-z]{4}")
_VERB = re.compile("(?:me[mnlrwy]|nge|ny|di|ber|ter|pura)[a-z]{3}|.{0,3}$")
"""What begins like a verb, or is as short as a small word, names nobody."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around one title."""

    words: Sequence[Word]
    one: Found
    starts: dict[int, Found]
    lexicon: Lexicon

    @property
    def people(self) -> People:
        """Return what the data says of titles."""
        return self.lexicon.people

    def excuse(self, before: Found | None) -> tuple[str, bool]:
        """Return the kind of the rule that excuses the holder, and whether weakly."""
        before_it = list(lefts(self.words, self.one.start, self.people))
        rights = list(self._rights())
        rules = self.people.beside
        beside = _Beside(
            before=self._ending(before_it, rules.before),
            after=self._beginning(rights, rules.after),
            not_before=self._ending(before_it, rules.not_before),
            not_after=self._beginning([*self._rights(joined=False)], rules.not_after),
        )
        fitting = [
            rule
            for number, rule in enumerate(rules.rules)
            if self._fits(number, rule, beside, before_it)
        ]
        if fitting:
            strongest = min(fitting, key=lambda rule: rule.weak)
            return strongest.kind, strongest.weak
        if before and before.excused and self._joined(before, rights):
            return before.excused, before.weak
        if self.one.title.conflict and self._in_passing(before_it[-1], rights):
            return "in passing", True
        return "", False

    def _fits(
        self, number: int, rule: Mention, beside: "_Beside", places: Sequence[int]
    ) -> bool:
        return (
            self.one.kind in rule.of
            and (rule.aides or not self.one.aide)
            and beside.allows(number, rule)
            and self._stands(rule, places)
            and not (rule.unless and number in self._near())
            and not (rule.unless_acting and self._acts(beside.after.get(number, 0)))
        )

    def _stands(self, rule: Mention, places: Sequence[int]) -> bool:
        """Say whether the title stands in its sentence as the rule asks."""
        return (
            (not rule.opening or self._opens(places[-1]))
            and (not rule.closing or self._closes())
            and (not rule.honoured or self._honoured(places))
            and (not rule.asked or self._asked())
        )

    def _ending(self, places: Sequence[int], phrases: Phrases[int]) -> frozenset[int]:
        return frozenset(
            hit.meaning for place in places for hit in phrases.at(self.words, place - 1)
        )

    def _beginning(
        self, places: Sequence[int], phrases: Phrases[int]
    ) -> dict[int, int]:
        """Return rules by number, each with the place where its words end."""
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
            if joined and other and not self.people.between.isdisjoint(word):
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
        known = self.lexicon.speller.known
        return not self.people.following.isdisjoint(word) or (
            known.isdisjoint(word) and not _VERB.match(word[0])
        )

    def _opens(self, start: int) -> bool:
        """Say whether nothing but greetings stands before this place in its sentence."""
        for _ in range(_GREETINGS):
            if start == 0 or self.words[start - 1] == STOP:
                return True
            hit = self.people.greetings.longest(self.words, start - 1)
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

    def _honoured(self, places: Sequence[int]) -> bool:
        before = self.words[places[-1] : self.one.end]
        return any(not self.people.honours.isdisjoint(word) for word in before)

    def _asked(self) -> bool:
        start = self.one.start
        return any(self.people.asking.within(self.words, start - _NEAR, start))

    def _acts(self, start: int) -> bool:
        """Say whether an act follows before anybody else is named."""
        start = max(start, self.one.end)
        for place in range(start, min(start + _ACTS, len(self.words))):
            if self.words[place] == STOP or place in self.starts:
                return False
            if self.people.others.longest(self.words, place):
                return False
            if self.people.acting.longest(self.words, place):
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
        return frozenset(self.people.beside.near.within(self.words, start, end))

    def _in_passing(self, start: int, rights: Sequence[int]) -> bool:
        """Say whether a clause only mentions the title, as an object or an address.

        No word before it makes its holder an agent, an owner or whom money is for, and no act
        follows it.
        """
        people, words = self.people, self.words
        last = words[start - 1] if start else STOP
        if self.one.aide or (
            people.passing.isdisjoint(last) and not _ACTIVE.match(last[0])
        ):
            return False
        if any(people.acting.longest(words, place) for place in rights):
            return False
        clause = start
        while clause > max(0, start - _ACTS) and words[clause - 1] not in {STOP, COMMA}:
            clause -= 1
        return not any(people.incriminating.within(words, clause, start))

    def _joined(self, before: Found, rights: Sequence[int]) -> bool:
        """Say whether this title only goes on with the list of the one before."""
        between = self.words[before.end : self.one.start]
        people = self.people
        if not 0 < len(between) <= _NAMES + 1 or STOP in between:
            return False
        if not self.one.title.conflict and not self._closes():
            return False
        joins = [not people.between.isdisjoint(word) for word in between]
        fills = [not people.filling.isdisjoint(word) for word in between]
        rest = [
            self._names(w) or j or f
            for w, j, f in zip(between, joins, fills, strict=True)
        ]
        acts = any(people.acting.longest(self.words, place) for place in rights)
        acts = acts or self._acts(self.one.end)
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
