"""How an SMS is counted: the GSM-7 alphabet and the 160 places of one segment."""

from typing import Final

ONE_SEGMENT: Final = 160
"""Septets that fit one SMS."""

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")


def septets(text: str) -> int | None:
    """Return how many GSM-7 places ``text`` takes, or None when a letter has no place.

    Letters of the extension table take two places.
    """
    total = 0
    for letter in text:
        if letter in _BASIC:
            total += 1
        elif letter in _EXTENDED:
            total += 2
        else:
            return None
    return total
