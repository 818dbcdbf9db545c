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


def count(text: str) -> int:
    """Return how many SMS a text takes: 160 or 153 places of GSM-7, else 70 or 67 of UCS-2."""
    places = septets(text)
    alone, joined = (ONE_SEGMENT, 153) if places is not None else (70, 67)
    if places is None:
        places = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return 1 if places <= alone else -(-places // joined)
