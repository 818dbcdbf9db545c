"""How much every provider takes, as data: the one place where rates stand.

A rate stands here as its provider states it; ``bot/delivery/pace.py`` keeps below it.
``burst`` is taken off the rate, so that no second ever holds more than the provider
allows, and ``group_burst`` off the minute. Telegram states one message a second for a
chat and lets short bursts pass: ``chat_burst`` comes on top there.
"""

from dataclasses import dataclass, replace

DELETE_AT_ONCE = 100
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """A provider's limits: text in UTF-16 units, rates in messages, files in bytes.

    ``per_second`` counts the whole channel, of which ``burst`` may go at once;
    ``per_chat_second`` one person, who may have ``chat_burst`` at once. With
    ``in_segments`` a text costs as many messages as it has segments. ``group_per_minute``
    is 0 where there are no groups. Messages of both sides can be deleted for
    ``delete_hours``, ``delete_at_once`` in one request; 0 where the provider has no such
    thing.
    """

    text: int
    per_second: float
    per_chat_second: float
    chat_burst: int
    file_bytes: int
    burst: float = 1
    in_segments: bool = False
    group_per_minute: int = 0
    group_burst: float = 1
    delete_hours: int = 0
    delete_at_once: int = 0


TELEGRAM = Limits(
    text=4096,
    per_second=30,
    burst=3,
    per_chat_second=1,
    chat_burst=3,
    group_per_minute=20,
    group_burst=2,
    file_bytes=20 * _MIB,
    delete_hours=48,
    delete_at_once=DELETE_AT_ONCE,
)

TELEGRAM_LOCAL = replace(TELEGRAM, file_bytes=2000 * _MIB)
"""With a Bot API server of our own: what Telegram lets anybody send."""

SMS_PER_SECOND = 1
SMS = Limits(
    text=1600,
    per_second=SMS_PER_SECOND,
    per_chat_second=1,
    chat_burst=3,
    in_segments=True,
    file_bytes=20 * _MIB,
)
"""A long code: one segment a second. Toll-free numbers take 3, short codes 10 to 100: the
setting ``twilio.sms_per_second`` says which it is."""

WHATSAPP = Limits(
    text=1600,
    per_second=80,
    burst=8,
    per_chat_second=1,
    chat_burst=5,
    file_bytes=20 * _MIB,
)

CANARY = Limits(
    text=4096,
    per_second=1000,
    per_chat_second=1000,
    chat_burst=1000,
    file_bytes=_MIB,
)
"""Our own messages to ourselves: nobody counts them."""
