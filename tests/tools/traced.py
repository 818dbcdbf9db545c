"""Let coverage trace the tests that stand beside what they test, and no others.

A plugin of the whole run (``-p tests.tools.traced``, make coverage). Tracing doubles what a
test costs. Stories, thieves and hostile people walk through lines that have tests of their
own, and a test on PostgreSQL through those of its twin on SQLite: they run as they do in
``make test``, untraced, in the same run. So a line that only a story reaches counts as
missed.
"""

import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

BESIDE = (
    *("tests/bot/", "tests/handlers/", "tests/storage/"),
    "tests/journeys/test_recovery.py",  # the recovery papers have no other tests
)
SPEAKS_BOTH = ("tests/storage/backups/", "tests/storage/database/")
"""Here code asks which store it is, so both are traced."""
_CHILDREN = "COVERAGE_PROCESS_CONFIG"
_asked: list[str | None] = []
"""What asked children to be traced, while none is; the last one counts."""


def is_traced(test: str) -> bool:
    """Tell of a test, by its id, whether it is traced."""
    _, _, given = test.partition("[")
    if "postgresql" in given:
        return test.startswith(SPEAKS_BOTH)
    return test.startswith(BESIDE)


@contextmanager
def untraced() -> Iterator[None]:
    """Let nothing be traced for a while: no thread and no process that begins in it."""
    here, threads = sys.gettrace(), threading.gettrace()
    _asked.append(os.environ.pop(_CHILDREN, None))
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(threads)
        sys.settrace(here)
        if asked := _asked.pop():
            os.environ[_CHILDREN] = asked


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, traced or not."""
    if is_traced(item.nodeid):
        return (yield)
    with untraced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object],
) -> Generator[None, object, object]:
    """Trace the processes of a whole session, whichever test comes first."""
    asked = _asked[-1] if _asked and fixturedef.scope == "session" else None
    if asked is None:
        return (yield)
    os.environ[_CHILDREN] = asked
    try:
        return (yield)
    finally:
        os.environ.pop(_CHILDREN, None)
