"""Whatever somebody sends: no harm, a clear word, and never for long."""

import os
import resource
import time
from pathlib import Path

import pytest

from tests.bot.evidence.sandbox.sandboxes import Made, opened
from tests.support.hostile import COPY, FILES

MOST_SECONDS = 20
HARMLESS = 20_000
"""Bytes: what is shorter and mean is still mean, but does not eat this process."""
OPEN = Path("/proc/self/fd")


def ending(made: Made) -> str | None:
    """Return how opening a file ended."""
    why = made.facts.get("why")
    return None if why == "not_shown" else why or COPY


@pytest.mark.parametrize("name", FILES)
def test_it_does_no_harm(name):
    hostile = FILES[name]
    data, began = hostile.make(), time.monotonic()
    files = len(list(OPEN.iterdir()))
    made = opened(data, here_too=len(data) < HARMLESS)
    end, copy = ending(made), made.copy
    assert end in hostile.ends
    assert (end == COPY) == bool(copy)
    for piece in hostile.gone:
        assert piece in data or name.startswith(("a PDF", "a document"))
        assert piece not in copy
    assert time.monotonic() - began < MOST_SECONDS
    assert len(list(OPEN.iterdir())) == files


def test_there_are_enough_of_them():
    assert len(FILES) >= 30


def test_names_in_a_list_do_not_turn():
    facts = opened(FILES["a zip with names that turn"].make(), here_too=False).facts
    assert "\\u202e" not in facts["entries"]
    assert "\\u001b" not in facts["entries"]
    assert "foto[U+202E]gnp.exe" in facts["entries"]


def test_our_own_limits_stay_as_they_were():
    before = resource.getrlimit(resource.RLIMIT_NOFILE), os.getpgrp()
    opened(FILES["formulas in CSV"].make(), here_too=False)
    assert (resource.getrlimit(resource.RLIMIT_NOFILE), os.getpgrp()) == before
