"""Length of a text for a provider: to cut it, and to count its SMS segments.

A text is cut by its UTF-16 units, the strictest count of any provider.
"""

from typing import Final


def split(text: str, limit: int) -> list[str]:
    """Cut a text into parts of at most ``limit`` UTF-16 units, at blanks if possible."""
    parts: list[str] = []
    while width(text) > limit:
        head = text[:limit]
        while (excess := width(head) - limit) > 0:
            head = head[: -((excess + 1) // 2)]
        cuts = (head.rfind(blank) for blank in ("\n\n", "\n", " "))
        cut = next((cut for cut in cuts if cut > len(head) // 2), len(head))
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    parts.append(text)
    return [part for part in parts if part] or [""]


def width(text: str) -> int:
    """Return the length in UTF-16 units, the strictest way in which providers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


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
