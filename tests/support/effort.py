"""How much work something is, told by the calls it makes: the same on every machine."""

import sys
from collections.abc import Callable
from types import FrameType


def effort(act: Callable[[], object]) -> int:
    """Return how many functions an act calls, Python's own ones too."""
    count = 0

    def called(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def is_linear(act: Callable[[int], object], size: int) -> bool:
    """Tell whether twice as much takes no more than some two and a half times the work.

    ``act`` takes a size; what it learns once is learnt before.
    """
    act(16)
    return effort(lambda: act(2 * size)) < 2.5 * effort(lambda: act(size)) + 1000
