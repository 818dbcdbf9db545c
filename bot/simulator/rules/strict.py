"""Rates as the providers state them, enforced to the letter: the setting ``strict_pace``.

The real ones are more patient; who is never refused here is refused nowhere. Telegram: 30
a second over all, one a second in a chat with a short burst, 20 a minute in a group.
Twilio: one segment a second for SMS, the next when the last has left; 80 a second for
WhatsApp.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from bot.simulator.rules import segments

OVERALL, CHAT_BURST, GROUP, MINUTE = 30, 5, 20, 60.0
WHATSAPP, SEGMENT_QUEUE = 80, 1
LATE = 0.1
"""Seconds by which a request may have been held up on its way, to the bot's credit."""


@dataclass
class Leaky:
    """A queue that holds ``most`` and drains ``rate`` a second."""

    rate: float
    most: float
    level: float = 0.0
    at: float = 0.0

    def takes(self, cost: float, now: float) -> bool:
        """Take ``cost`` unless the queue is full already."""
        self.level = max(0.0, self.level - (now - self.at) * self.rate)
        self.at = now
        if self.level >= self.most:
            return False
        self.level += cost
        return True


@dataclass
class Strict:
    """What was sent of late. ``refused`` counts what was too fast."""

    refused: int = 0
    _times: dict[str, deque[float]] = field(default_factory=dict)
    _queues: dict[str, Leaky] = field(default_factory=dict)

    def telegram(self, method: str, params: dict[str, Any]) -> int:
        """Return after how many seconds to try again; 0 when this is not too fast."""
        chat = str(params.get("chat_id", ""))
        if not method.lower().startswith("send") or not chat:
            return 0
        now = time.monotonic()
        if chat.startswith("-"):
            fits = self._within(chat, GROUP, MINUTE, now)
        else:
            fits = self._queue(chat, 1, CHAT_BURST).takes(1, now)
        return self._told(fits=fits and self._within("", OVERALL, 1.0, now))

    def twilio(self, channel: str, text: str) -> int:
        """Return after how many seconds to try again; 0 when this is not too fast."""
        now = time.monotonic()
        if channel == "whatsapp":
            return self._told(fits=self._within(channel, WHATSAPP, 1.0, now))
        queue = self._queue(channel, 1, SEGMENT_QUEUE)
        return self._told(fits=queue.takes(segments.count(text), now))

    def _told(self, *, fits: bool) -> int:
        self.refused += not fits
        return 0 if fits else 1

    def _within(self, name: str, most: int, span: float, now: float) -> bool:
        times = self._times.setdefault(name, deque())
        while times and now - times[0] >= span - LATE:
            times.popleft()
        if len(times) >= most:
            return False
        times.append(now)
        return True

    def _queue(self, name: str, rate: float, most: float) -> Leaky:
        return self._queues.setdefault(name, Leaky(rate, most))
