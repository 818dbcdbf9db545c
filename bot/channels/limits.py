"""How much every provider takes, as data: the one place where rates stand.

A rate stands here as its provider states it; ``bot/delivery/pace.py`` keeps below it.
``burst`` is taken off the rate, so that no second ever holds more than the provider
allows, and ``group_burst`` off the minute. Telegram states one message a second for a
chat and lets short bursts pass: ``chat_burst`` comes on top there.
"""

from dataclasses import replace

from bot.channels.base import Limits

DELETE_AT_ONCE = 100
_MIB = 1 << 20

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
