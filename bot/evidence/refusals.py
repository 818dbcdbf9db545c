"""What a cleaner takes and gives, and how it says no."""

from collections.abc import Callable

Give = Callable[[bytes, bytes | memoryview], None]
"""Takes a frame's letter and some bytes of it."""


class Refused(Exception):
    """No copy can be made; ``why`` is a code that the case page explains."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)
