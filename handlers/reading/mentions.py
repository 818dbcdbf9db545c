"""The places that the words of a text name, and how surely each is one.

A word right before a name may make it a place or none, and so may an office some words
before it; a name that is an ordinary word needs more. The lists are in ``places.toml``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import Final, NamedTuple

from handlers.rules.gazetteer import WORD, Codes, Gazetteer, respelled
from handlers.rules.regions import KINDS, Before

_LONGEST: Final = 6
"""Words of a name, at most."""
_MERGED: Final = 6
"""Letters that several words need to be read as one name."""
_REACH: Final = 7
"""Words between an office and the name of its place, at most."""
_ABBREVIATED: Final = 4
"""A dot after so few letters ends no sentence."""
_LONG: Final = 8
"""Letters of a misspelt name that counts wherever it stands."""
_MOST: Final = 4096
"""Words that are read; what comes after them names nothing."""
_WITHIN: Final = frozenset(" .-'\N{RIGHT SINGLE QUOTATION MARK}/()\"")
"""What may stand between two words of one phrase."""
_NAMING: Final = KINDS | {Before.SEAT}
_PLACING: Final = _NAMING | {Before.IN}


class Sure(IntEnum):
    """How surely words name a place."""

    NO = 0
    HARDLY = 1
    BARE = 2
    LIKELY = 3
    YES = 4


_MADE: Final[Mapping[Before | None, Sure]] = {
    Before.SEAT: Sure.YES,
    Before.IN: Sure.LIKELY,
    Before.SMALLER: Sure.HARDLY,
    Before.OTHER: Sure.NO,
}
"""What the word right before a name makes of it."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words ``start`` to ``end`` name one of ``codes``."""

    start: int
    end: int
    codes: Codes
    sure: Sure
    ordinary: bool = False

    @property
    def is_regency(self) -> bool:
        """Tell whether it can be no province."""
        return all("." in code for code in self.codes)

    @property
    def provinces(self) -> frozenset[str]:
        """Return the provinces in which it may be."""
        return frozenset(code[:2] for code in self.codes)


class _Word(NamedTuple):
    text: str
    capital: bool
    apart: bool
    """It begins a phrase: a comma, a line or the end of a sentence stands before it."""
    phrase: int


def _words(text: str, table: Gazetteer) -> Iterator[_Word]:
    end, before, phrase = 0, "", 0
    for match in WORD.finditer(text):
        raw, gap = match[0], text[end : match.start()]
        dotted = "." in gap and len(before) > _ABBREVIATED
        apart = not before or dotted or not _WITHIN.issuperset(gap)
        phrase += apart
        yield _Word(respelled(raw, table.words), raw.istitle(), apart, phrase)
        end, before = match.end(), raw


class Sentence:
    """The words of a text, and the places that they name."""

    def __init__(self, text: str, table: Gazetteer) -> None:
        self.table = table
        self.words = list(islice(_words(text, table), _MOST))
        self.roles = [table.words.roles.get(word.text) for word in self.words]
        self.offices = frozenset(table.words.office.words)
        self.ends = frozenset(table.words.office.ends)

    def mentions(self) -> Iterator[Mention]:
        """Yield the names in the text's order; the longest wins, none overlap."""
        at, last = 0, None
        office: int | None = None
        while at < len(self.words):
            word = self.words[at]
            if word.apart or word.text in self.ends:
                office = None
            end, key = self._longest(at)
            if end == at:
                office = at if word.text in self.offices else office
                at += 1
                continue
            again = self._again(at, end)
            if self.table.exact[key] and not again:
                near = office is not None and at - office <= _REACH
                one = self._mention(at, end, key, last, office=near)
                if one.sure:
                    yield one
                last = one
            at = again or end

    def _mention(
        self, at: int, end: int, key: str, last: Mention | None, *, office: bool
    ) -> Mention:
        """Return what the words before a name make of it; ``last`` is the name before it."""
        free = last.end if last else 0
        sure, codes = self._before(at, free, self.table.exact[key], office=office)
        also = last and last.end == at - 1 and self.roles[at - 1] is Before.ALSO
        if last and also:
            sure = max(sure, last.sure)
        ordinary = key in self.table.ordinary
        if ordinary and not self.words[at].capital and (also or sure is Sure.LIKELY):
            sure = min(sure, Sure.HARDLY)
        return Mention(at, end, codes, sure, ordinary)

    def misspelt(self, found: Sequence[Mention]) -> list[Mention]:
        """Return names with one slip; one may hold a shorter name that has none."""
        named = {at for one in found for at in range(one.start, one.end)}
        new = {at for at, role in enumerate(self.roles) if role is None} - named
        inside = named.union(
            at for at, role in enumerate(self.roles) if role in {None, Before.OTHER}
        )
        slips, at = [], 0
        while at < len(self.words):
            slip = self._misspelt(at, inside, new)
            if slip:
                slips.append(slip)
            at = slip.end if slip else at + 1
        return slips

    def answering(self, found: Sequence[Mention]) -> list[Mention]:
        """Return the names that count in an answer: of ordinary words those alone there.

        A phrase of nothing but names and what makes them places; or a capital inside
        another phrase; or an office before it.
        """
        named = {at for one in found for at in range(one.start, one.end)}
        other = {
            word.phrase
            for at, word in enumerate(self.words)
            if at not in named and self.roles[at] not in _PLACING
        }
        return [one for one in found if self._answers(one, other)]

    def _answers(self, one: Mention, other: Collection[int]) -> bool:
        word = self.words[one.start]
        if not one.ordinary or one.sure >= Sure.LIKELY or word.phrase not in other:
            return True
        if one.sure is Sure.BARE:
            return word.capital and not word.apart
        near = self.words[max(0, one.start - _REACH) : one.start]
        return any(before.text in self.offices for before in near)

    def _longest(self, at: int) -> tuple[int, str]:
        """Return where the longest name that begins here ends, and its key."""
        end, found, key = at, "", ""
        for to in range(at, min(at + _LONGEST, len(self.words))):
            if to > at and self.words[to].apart:
                break
            key += self.words[to].text
            if key in self.table.exact and (to == at or len(key) >= _MERGED):
                end, found = to + 1, key
            if key not in self.table.starts:
                break
        return end, found

    def _again(self, at: int, end: int) -> int:
        """Return where the same words end again, as in *buru-buru*; else 0."""
        to = 2 * end - at
        same = [word.text for word in self.words[at:end]]
        second = self.words[end:to]
        if [word.text for word in second] != same or any(w.apart for w in second):
            return 0
        return to

    def _before(
        self, at: int, free: int, codes: Codes, *, office: bool
    ) -> tuple[Sure, Codes]:
        """Tell what the words before a name make of it; ``free`` begins those of no name."""
        kinds: set[Before] = set()
        role = None
        while at > free and not self.words[at].apart:
            at -= 1
            role = self.roles[at]
            if role not in KINDS:
                break
            kinds.add(role)
        if kinds:
            return Sure.YES, self._of_kind(codes, kinds)
        return _MADE.get(role, Sure.LIKELY if office else Sure.BARE), codes

    def _of_kind(self, codes: Codes, kinds: Collection[Before]) -> Codes:
        """Return the codes of these kinds, all where there is none."""
        if Before.PROVINCE in kinds:
            kept = {code for code in codes if "." not in code}
        else:
            kept = {code for code in codes if self.table.kinds.get(code) in kinds}
        return frozenset(kept) or codes

    def _misspelt(
        self, at: int, inside: Collection[int], new: Collection[int]
    ) -> Mention | None:
        """Return the longest name with a slip that begins here: alone, placed, or long.

        Its words are ``inside``, and one at least is ``new``: part of no name so far.
        """
        key, best, phrase = "", None, self.words[at].phrase
        placed = self._role_before(at) in _NAMING
        alone = {one for one in new if self.words[one].phrase == phrase}
        for to in range(at, min(at + _LONGEST, len(self.words))):
            if to not in inside or self.words[to].phrase != phrase:
                break
            key += self.words[to].text
            span = set(range(at, to + 1))
            counts = placed or alone == span or len(key) >= _LONG
            if not counts or span.isdisjoint(new):
                continue
            if codes := self.table.near(key):
                sure, kept = self._before(at, 0, codes, office=False)
                best = Mention(at, to + 1, kept, min(sure, Sure.LIKELY))
        return best if best and best.sure > Sure.HARDLY else None

    def _role_before(self, at: int) -> Before | None:
        return None if self.words[at].apart else self.roles[at - 1]
