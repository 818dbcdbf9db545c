"""A storm: faults by chance, the same ones for the same seed, until it is over."""

import hashlib
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

SILENCE = "silence"
"""Done, and then no answer until the other side gives up."""


class Dice:
    """Chances by name and count: what falls under one name does not depend on the rest."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self._thrown: Counter[str] = Counter()

    def share(self, name: str) -> float:
        """Give the next number of this name, at least 0 and below 1."""
        self._thrown[name] += 1
        text = f"{self.seed}:{name}:{self._thrown[name]}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56


@dataclass(frozen=True)
class Strike:
    """One fault that fell: its kind, and how many seconds a delay lasts."""

    fault: str
    seconds: float


@dataclass
class Storm:
    """``rates`` maps ``api`` or ``api.method`` to chances by fault; empty is calm.

    The narrower name decides alone. Every fault that fell is counted in ``fallen``.
    """

    rates: dict[str, dict[str, float]] = field(default_factory=dict)
    longest_delay: float = 1.0
    fallen: Counter[str] = field(default_factory=Counter)
    _dice: Dice = field(default_factory=lambda: Dice(""))

    def begin(
        self, seed: str, rates: Mapping[str, Mapping[str, float]], longest_delay: float
    ) -> None:
        """Let faults fall from now on."""
        self.rates = {
            place.lower(): {fault: float(rate) for fault, rate in chances.items()}
            for place, chances in rates.items()
        }
        self.longest_delay = longest_delay
        self._dice = Dice(seed)

    def end(self) -> None:
        """Calm down; what fell stays counted."""
        self.rates = {}

    def strike(
        self,
        api: str,
        method: str,
        kinds: Container[str],
        phone: str,
        *,
        statuses: bool,
    ) -> Strike | None:
        """Throw the dice for one call of ``api``; HTTP statuses only where ``statuses``."""
        place = f"{api}.{method.lower()}"
        chances = self.rates.get(place, self.rates.get(api, {}))
        fit = {
            fault: rate
            for fault, rate in chances.items()
            if fault in kinds or (statuses and fault.isdigit())
        }
        if not fit:
            return None
        share = self._dice.share(f"{place}.{phone}")
        for fault, rate in sorted(fit.items()):
            if share < rate:
                self.fallen[f"{api}.{fault}"] += 1
                return Strike(fault, self.longest_delay * share / rate)
            share -= rate
        return None
