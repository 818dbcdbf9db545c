"""A cap on saying the same: two machines that answer each other, or a fault of ours.

The rule is data. Never capped: a receipt (it goes once), the canary's, an acknowledgment, a deletion.
What is counted lies in memory under a random key, a letter only once it was taken; a
letter over the cap is dropped and counted (``outcome="repeated"``). After a quiet while
it works again.
"""

import hmac
import secrets
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from storage.outbox import Claimed
from storage.words import Channel, LetterKind


class Cap(NamedTuple):
    """The same words to the same person go out at most ``times`` within ``span``."""

    times: int
    span: timedelta


CAPS: Final[Mapping[LetterKind, Cap]] = {
    LetterKind.REPLY: Cap(10, timedelta(minutes=10)),
    LetterKind.NOTICE: Cap(10, timedelta(hours=1)),
    LetterKind.ALERT: Cap(20, timedelta(hours=1)),
}
REMEMBERED: Final = 20_000


class Repeats:
    """What was said to whom, as keyed names and times."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._times: OrderedDict[bytes, deque[datetime]] = OrderedDict()

    def too_often(self, claimed: Claimed, now: datetime) -> bool:
        """Tell whether this letter's words went to its person too often of late."""
        cap = CAPS.get(claimed.letter.kind)
        if cap is None or claimed.letter.channel is Channel.CANARY:
            return False
        times = self._times.get(self._name(claimed), ())
        return sum(1 for at in times if now - at < cap.span) >= cap.times

    def sent(self, claimed: Claimed, now: datetime) -> None:
        """Count a letter that was taken."""
        cap = CAPS.get(claimed.letter.kind)
        if cap is None:
            return
        name = self._name(claimed)
        times = self._times.pop(name, None) or deque(maxlen=cap.times)
        times.append(now)
        self._times[name] = times
        if len(self._times) > REMEMBERED:
            self._times.popitem(last=False)

    def _name(self, claimed: Claimed) -> bytes:
        words = claimed.letter.text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, claimed.order_name + words, "sha256")
