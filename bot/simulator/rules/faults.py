"""Faults on demand: what goes wrong next, where, for whom and how often."""

from collections.abc import Container
from dataclasses import dataclass

from bot.simulator.rules.storm import SILENCE, Storm

ANSWERS = frozenset({"timeout", "lost_answer", SILENCE, "delay", "reset"})
"""Faults of an API call, beside an HTTP status such as ``429`` or ``500``."""
NEVER = "never"
"""A webhook that is lost before its first try: nobody is called, nobody ever hears."""
DELIVERIES = frozenset({"timeout", "lost_answer", "delay", "reset", "duplicate", NEVER})
"""Faults of a webhook on its way to the bot."""
TWICE = frozenset({"duplicate"})
SHUFFLE = frozenset({"shuffle"})
UNDELIVERED = frozenset({"undelivered"})
APIS = frozenset({"telegram", "twilio", "webhook"})
NAMED = ANSWERS | DELIVERIES | SHUFFLE | UNDELIVERED


class BadFault(Exception):
    """Such a fault does not exist: see ``faults.NAMED`` and HTTP statuses 400-599."""


@dataclass
class Fault:
    """One planned fault. ``method`` and ``phone`` empty mean any; ``times`` counts down.

    ``seconds`` is a delay, ``retry_after`` goes with 429, ``code`` is Twilio's error
    code, ``description`` the words of an error.
    """

    api: str
    fault: str
    method: str = ""
    phone: str = ""
    times: int = 1
    seconds: float = 0.2
    retry_after: int = 1
    code: int = 0
    description: str = ""

    @property
    def status(self) -> int:
        """The HTTP status when the fault is one, else 0."""
        return int(self.fault) if self.fault.isdigit() else 0

    def check(self) -> None:
        """Raise ``BadFault`` for a fault that would never happen."""
        status = self.status
        known = self.fault in NAMED or 400 <= status <= 599  # noqa: PLR2004 - HTTP errors
        if self.api not in APIS or not known or self.times < 1:
            raise BadFault


class Faults:
    """The planned faults, oldest first."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.storm = Storm()

    def plan(self, fault: Fault) -> None:
        """Let a fault happen from now on, ``times`` times."""
        fault.check()
        self.planned.append(fault)

    def take(
        self, api: str, method: str, kinds: Container[str], *, phone: str = ""
    ) -> Fault | None:
        """Use up and return the oldest fault of these kinds that fits, or the storm's.

        An HTTP status counts as a kind of every API call (``kinds`` is ``ANSWERS``).
        """
        for fault in self.planned:
            fits = (
                fault.api == api
                and fault.method.lower() in {"", method.lower()}
                and fault.phone in {"", phone}
                and (fault.fault in kinds or (fault.status and kinds is ANSWERS))
            )
            if fits:
                fault.times -= 1
                if not fault.times:
                    self.planned.remove(fault)
                return fault
        struck = self.storm.strike(api, method, kinds, phone, statuses=kinds is ANSWERS)
        if struck is None:
            return None
        return Fault(api, struck.fault, method, phone, seconds=struck.seconds)

    def clear(self) -> None:
        """Forget every planned fault, and end a storm."""
        self.planned.clear()
        self.storm.end()
