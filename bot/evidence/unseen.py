"""Signs that nobody sees and that change how words look; here they are made visible.

They turn the direction of writing, take no room, or end a line where none ends: a name may
show an ending that it does not have.
"""

import re
from typing import Final

_RANGES: Final = (
    "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_IN_WORDS: Final = re.compile(f"[{_RANGES}]")
_IN_NAMES: Final = re.compile(
    f"[{_RANGES}\t\n\f\r\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]| (?= )"
)
"""A name has one line and single spaces: many of them push its ending out of sight."""
_ENDING: Final = 24


def marked(words: str) -> str:
    """Return words in which such a sign is a replacement character."""
    return _IN_WORDS.sub("\N{REPLACEMENT CHARACTER}", words)


def named(name: str) -> str:
    """Return the name of a file in which such a sign is its number, as in ``[U+202E]``."""
    return _IN_NAMES.sub(lambda found: f"[U+{ord(found[0]):04X}]", name)


def shortened(name: str, most: int) -> str:
    """Cut a name in its middle: how it ends says what it may be."""
    if len(name) <= most:
        return name
    return f"{name[: most - _ENDING - 1]}…{name[-_ENDING:]}"
