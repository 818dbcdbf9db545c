"""Chance that can be had again: every decision of a run comes from its seed."""

from collections.abc import Sequence
from typing import TypeVar

from bot.simulator.rules import storm

T = TypeVar("T")
CONSONANTS = "bcdfghjkmnpqrtvwxz"


class Dice(storm.Dice):
    """Dice of one person or thing: ``Dice("7/sms12")``; each kind of throw has a name."""

    def below(self, name: str, n: int) -> int:
        return int(self.share(name) * n)

    def chance(self, name: str, share: float) -> bool:
        return self.share(name) < share

    def between(self, name: str, low: float, high: float) -> float:
        return low + self.share(name) * (high - low)

    def pick(self, name: str, of: Sequence[T]) -> T:
        return of[self.below(name, len(of))]

    def shuffled(self, name: str, of: Sequence[T]) -> list[T]:
        return sorted(of, key=lambda _: self.share(name))

    def marker(self) -> str:
        """Give a word that no language, keyword or log has."""
        letters = (CONSONANTS[self.below("marker", 18)] for _ in range(9))
        return "zq" + "".join(letters)
