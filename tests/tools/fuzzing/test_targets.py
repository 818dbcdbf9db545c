"""A modest number of changed inputs for every target; ``make fuzz`` tries for minutes."""

import pytest

from tests.tools.fuzzing.finding import tries
from tests.tools.fuzzing.table import TARGETS
from tests.tools.fuzzing.target import Shape, Target


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_changed_inputs_are_read_or_refused(target: Target) -> None:
    tries(target, examples=target.examples)


def test_a_target_that_breaks_is_found_out() -> None:
    """The search itself: a reader that trusts one field is broken within few tries."""

    def trusting(raw: bytes) -> None:
        if raw.startswith(b"{"):
            raise ZeroDivisionError

    seeds = TARGETS["letter"].seeds
    target = Target("letter", trusting, (ValueError,), Shape.JSON, seeds)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        tries(target, examples=50, number=1)
