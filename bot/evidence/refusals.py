"""What a cleaner takes and gives, and how it says no."""

from collections.abc import Callable
from typing import Final

WHYS: Final = frozenset(
    {
        "not_shown",
        "broken",
        "large",
        "slow",
        "locked",
        "archive",
        "mail",
        "no_converter",
        "virus",
        "unscanned",
    }
)
"""Why a file has no copy; each has its words on the case page."""
HIDDEN: Final = frozenset({"place", "device", "author", "words", "files", "program"})
"""What an original may tell beside what is seen of it; its copy does not."""

Give = Callable[[bytes, bytes | memoryview], None]
"""Takes a frame's letter and some bytes of it."""


class Refused(Exception):
    """No copy can be made; ``why`` is a code that the case page explains."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)
