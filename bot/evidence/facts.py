"""What a sandbox may say of a file: known names, each of a known shape, and nothing else.

A sandbox has read a stranger's bytes; whoever took it over must not speak for the server.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.evidence.kinds import kinds
from bot.evidence.refusals import HIDDEN, WHYS

MOST_NAMED: Final = 80
LONGEST_NAME: Final = 80
"""How many names of an archive are told, and how much of each."""
MORE: Final = "more"
"""A file of several pictures: the copy is the first of them."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_PAGES_WHY: Final = "no_page"


class Strange(Exception):
    """A sandbox said what no sandbox of ours says."""


def checked(said: Any) -> dict[str, str]:  # noqa: ANN401 - whatever JSON can hold
    """Return what a sandbox said; raises Strange unless all of it may be said."""
    if not isinstance(said, dict):
        raise Strange
    for name, value in said.items():
        fits = _FITS.get(name)
        if fits is None or not isinstance(value, str) or not fits(value):
            raise Strange
    return said


def _is_list(value: str) -> bool:
    """Tell whether these are the first names of an archive."""
    try:
        found = json.loads(value)
    except ValueError:
        return False
    return (
        isinstance(found, list)
        and len(found) <= MOST_NAMED
        and all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in found)
    )


def _is_number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None


_FITS: Final[Mapping[str, Callable[[str], bool]]] = {
    "why": lambda value: value in WHYS or value == _PAGES_WHY,
    "hidden": lambda value: set(value.split()) <= HIDDEN,
    "entries": _is_list,
    "count": _is_number,
    "pages": _is_number,
    "drawn": _is_number,
    "frames": lambda value: value == MORE,
    "seconds": lambda value: _SECONDS.fullmatch(value) is not None,
    "kind": lambda value: value in kinds(),
    "type": lambda value: value in {kind.type for kind in kinds().values()},
    "copy": lambda value: value in {kind.copy for kind in kinds().values()},
    "shown": lambda value: value in {kind.shown for kind in kinds().values()},
}
