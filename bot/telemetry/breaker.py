"""A circuit breaker: stops a channel whose provider is busy, away, or refuses our account.

Pure: the time is told, in monotonic seconds. After a rest one letter alone shows
whether the provider is back, so that not all are tried in vain.
"""

from dataclasses import dataclass, field
from enum import StrEnum

FAILURES = 3
"""Failures in a row after which a provider is taken to be away."""
MANY = 2
"""Different chats told to wait, with nothing taken in between, that mean the whole channel."""
FIRST_AWAY, LONGEST_AWAY = 2.0, 120.0
FIRST_BUSY, LONGEST_BUSY = 1.0, 300.0
FIRST_REFUSED, LONGEST_REFUSED = 30.0, 600.0


class Cause(StrEnum):
    """Why a channel stands still; a word for counters and the log."""

    BUSY = "busy"
    AWAY = "away"
    REFUSED = "refused"


SPANS = {
    Cause.BUSY: (FIRST_BUSY, LONGEST_BUSY),
    Cause.AWAY: (FIRST_AWAY, LONGEST_AWAY),
    Cause.REFUSED: (FIRST_REFUSED, LONGEST_REFUSED),
}


@dataclass(slots=True)
class Breaker:
    """One channel's state. Each of the three that may open it returns a rest, 0 for none."""

    cause: Cause | None = None
    pause: float = 0.0
    """How long the last rest was; the next one of the same cause is twice as long."""
    until: float = float("-inf")
    _failures: int = 0
    _waiting: set[bytes] = field(default_factory=set)

    def rest(self, now: float) -> float:
        """Return for how many seconds nothing may be sent; 0 is none."""
        return max(0.0, self.until - now)

    @property
    def probing(self) -> bool:
        """Tell whether only one letter at a time may go, to see whether it is over."""
        return self.cause is not None

    def answered(self, now: float) -> None:
        """Note that the provider dealt with a letter: whatever was, is over.

        A rest that it asked for itself is kept.
        """
        self._failures = 0
        self._waiting.clear()
        if self.cause is Cause.AWAY or now >= self.until:
            self.cause, self.pause, self.until = None, 0.0, now

    def away(self, now: float) -> float:
        """Note a failure of the provider's: no connection, no answer, a fault of its own."""
        self._failures += 1
        if self._failures < FAILURES and not self.probing:
            return 0.0
        return self._open(Cause.AWAY, now)

    def busy(
        self, person: bytes, after: float | None, now: float, *, wide: bool
    ) -> float:
        """Note that the provider wants us slower, ``after`` its own wish in seconds.

        Telegram does not say whether it means the chat or the bot: it is the chat, until
        another one hears the same before anything was taken.
        """
        self._waiting.add(person)
        if not wide and len(self._waiting) < MANY:
            return 0.0
        return self._open(Cause.BUSY, now, after)

    def refused(self, now: float) -> float:
        """Note that the provider refuses our account."""
        return self._open(Cause.REFUSED, now)

    def _open(self, cause: Cause, now: float, after: float | None = None) -> float:
        if now < self.until:  # what was under way fails with it, and says nothing new
            if after is not None:
                self.until = max(self.until, now + after)
            return 0.0
        first, longest = SPANS[cause]
        longer = self.pause * 2 if self.cause is cause else 0.0
        self.cause, self.pause = cause, min(longest, max(first, longer))
        rest = self.pause if after is None else after
        self.until = now + rest
        return rest
