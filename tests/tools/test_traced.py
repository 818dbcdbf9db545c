"""Which tests coverage traces, and that it traces nothing else."""

import os
import subprocess
import sys
import threading

import pytest

from tests.tools.traced import is_traced, untraced


@pytest.mark.parametrize(
    ("test", "traced"),
    [
        ("tests/bot/test_app.py::test_one", True),
        ("tests/storage/test_outbox.py::test_one[sqlite]", True),
        ("tests/storage/test_outbox.py::test_one[postgresql]", False),
        ("tests/storage/database/test_schema.py::test_one[postgresql]", True),
        ("tests/bot/commands/test_restore.py::test_the_postgresql_of_tomorrow", True),
        ("tests/journeys/test_sms.py::test_one_sms_is_a_report[sqlite]", False),
        ("tests/journeys/test_recovery.py::test_the_drill[sqlite]", True),
        ("tests/journeys/test_recovery.py::test_the_drill[postgresql]", False),
    ],
)
def test_a_test_is_traced_where_it_stands_beside_what_it_tests(test, traced):
    assert is_traced(test) is traced


def test_neither_this_process_nor_a_thread_nor_a_child_is_traced(monkeypatch):
    monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "{}")
    before, threads, seen = sys.gettrace(), threading.gettrace(), []
    trace = lambda *_: None  # noqa: E731 - what it is stays to be compared
    sys.settrace(trace)
    threading.settrace(trace)
    try:
        with untraced():
            seen.append(sys.gettrace())
            thread = threading.Thread(target=lambda: seen.append(sys.gettrace()))
            thread.start()
            thread.join()
            child = "import os; print(os.environ.get('COVERAGE_PROCESS_CONFIG'))"
            told = subprocess.check_output(  # noqa: S603 - our own line
                [sys.executable, "-c", child], text=True
            )
        after = sys.gettrace(), threading.gettrace()
    finally:
        sys.settrace(before)
        threading.settrace(threads)
    assert (seen, told.strip()) == ([None, None], "None")
    assert after == (trace, trace)
    assert os.environ["COVERAGE_PROCESS_CONFIG"] == "{}"
