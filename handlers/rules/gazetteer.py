"""The names of all places of a jurisdiction, found exactly or with one letter wrong.

A name is looked up by its ``key``: its words in small letters, spelled as the table spells
them, without anything between them, so that *Parepare*, *Pare-Pare* and *pare pare* are
one. Each lookup costs the same however long the table is.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from handlers.rules.regions import KINDS, Before, PlaceWords, Provinces, Regencies

WORD: Final = re.compile(r"[^\W_]+")
_INNER: Final = re.compile(r"[()]+")
_SHORT: Final = 6
"""Up to so many letters nobody gets the first one wrong."""

Codes = frozenset[str]
_NOWHERE: Final[Codes] = frozenset()


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Codes by the keys of names. Build it with ``of``.

    A phrase that holds a name and tells no place has no codes. ``starts`` are the
    beginnings of all keys, ``shortened`` the keys by each form that lacks one letter.
    ``kinds`` says which regencies are regencies and which are cities.
    """

    exact: Mapping[str, Codes]
    starts: frozenset[str]
    shortened: Mapping[str, frozenset[str]]
    kinds: Mapping[str, Before | None]
    words: PlaceWords
    ordinary: frozenset[str]
    right: frozenset[str]
    longest: int

    @classmethod
    def of(cls, provinces: Provinces, regencies: Regencies, words: PlaceWords) -> Self:
        """Index the tables, without places of a province that is not listed."""
        exact: dict[str, set[str]] = defaultdict(set)
        kinds = {}
        for code, whole in regencies.names.items():
            if code[:2] not in provinces.provinces:
                continue
            name, kinds[code] = _parted(whole, words)
            for one in _INNER.split(name):  # a name in brackets is one of its own
                exact[key_of(one, words)].add(code)
        own_names = {key_of(name, words) for name in provinces.names.values()}
        official = own_names.union(exact)
        for code, name in _names(provinces, words):
            exact[key_of(name, words)].add(code)
        for phrase in words.ordinary.phrases:
            exact.setdefault(key_of(phrase, words), set())
        exact.pop("", None)
        places = {key: frozenset(codes) for key, codes in exact.items()}
        return cls(
            exact=places,
            starts=frozenset(key[:end] for key in places for end in range(1, len(key))),
            shortened=_shortened(
                key
                for key, codes in places.items()
                if codes and (key in official or len(key) > _SHORT)
            ),
            kinds=kinds,
            words=words,
            ordinary=frozenset(key_of(name, words) for name in words.ordinary.words),
            right=frozenset(words.ordinary.spelled_right) | words.roles.keys(),
            longest=max(map(len, places), default=0),
        )

    def near(self, key: str) -> Codes:
        """Return the codes of names that differ in one letter or in two that changed places.

        Nothing for ``spelled_right`` words, short names, or where the table allows none.
        """
        least = self.words.misspelt_from
        fits = least - 1 <= len(key) <= self.longest + 1
        if not least or not fits or key in self.right:
            return _NOWHERE
        names = {*self.shortened.get(key, ())}
        for short in _lacking_one(key):
            names.update(self.shortened.get(short, ()))
            if short in self.exact:
                names.add(short)
        found: set[str] = set()
        for name in names:
            if len(name) >= least and _is_near(key, name):
                found |= self.exact[name]
        return frozenset(found)


def key_of(text: str, words: PlaceWords) -> str:
    """Return the key under which a name stands."""
    return "".join(respelled(word, words) for word in WORD.findall(text))


def respelled(word: str, words: PlaceWords) -> str:
    """Return a word as the table spells it."""
    small = word.casefold()
    return words.spelled.get(small, small)


def _names(provinces: Provinces, words: PlaceWords) -> Iterator[tuple[str, str]]:
    """Yield the names of provinces, and every everyday name, with its code."""
    for code, row in provinces.provinces.items():
        yield from ((code, name) for name in (row.name, *row.also))
    for code, names in words.everyday.items():
        if code[:2] in provinces.provinces:
            yield from ((code, name) for name in names)


def _parted(official: str, words: PlaceWords) -> tuple[str, Before | None]:
    """Part *Kab.* or *Kota* from an official name and say what it tells."""
    first, _, rest = official.partition(" ")
    role = words.roles.get(first.casefold().rstrip("."))
    return (rest, role) if rest and role in KINDS else (official, None)


def _lacking_one(key: str) -> Iterator[str]:
    return (key[:at] + key[at + 1 :] for at in range(len(key)))


def _shortened(keys: Iterable[str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        for short in _lacking_one(key):
            found[short].add(key)
    return {short: frozenset(names) for short, names in found.items()}


def _is_near(key: str, name: str) -> bool:
    """Tell whether two keys that share a shortened form are one slip apart."""
    if len(name) <= _SHORT and key[:1] != name[:1]:
        return False
    if len(key) != len(name):
        return True  # one is the other without a letter
    wrong = [
        at for at, pair in enumerate(zip(key, name, strict=True)) if len({*pair}) > 1
    ]
    if len(wrong) <= 1:
        return True
    first, last = wrong[0], wrong[-1]
    return last - first == 1 and (key[first], key[last]) == (name[last], name[first])
