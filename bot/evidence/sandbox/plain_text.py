"""Plain text: words only; what would turn or hide them is made visible."""

import re
from typing import Final

from bot.evidence import frames
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused

starts_programs: Final = False
_HIDES: Final = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def clean(original: bytes, _kind: Kind, give: Give) -> dict[str, str]:
    """Give the words. Raises Refused where a part of the file is none."""
    try:
        words = original.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("not_shown") from None
    give(frames.COPY, seen(words).encode())
    return {}


def seen(words: str) -> str:
    """Replace what changes how words look without being one of them."""
    return _HIDES.sub("\N{REPLACEMENT CHARACTER}", words)
