"""Refuse a run in which a function of ``storage`` spoke SQL to SQLite only.

A plugin of the whole run (``-p tests.tools.both_stores``, make coverage): tests above
``storage`` run on SQLite unless they are marked, so this says what a mark is missing for.
"""

import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, event

from tests.support.places import ROOT

_BEFORE = len(str(ROOT)) + 1
STORAGE, ENGINES = str(ROOT / "storage"), str(ROOT / "storage" / "database")
ALONE = {
    f"storage/backups/{place}"
    for place in (
        "proof.py:_open_all",
        "proof.py:_pages",
        "scratch.py:store.<locals>.on_begin",
        "scratch.py:table_names",
        "writing.py:Writer.file",
    )
}
"""Functions that speak to SQLite only: a backup is proved in a scratch file of SQLite."""
_spoke: dict[str, set[str]] = {"sqlite": set(), "postgresql": set()}
_missing: set[str] = set()


@event.listens_for(Engine, "before_cursor_execute")
def _note(connection: Connection, *_: object) -> None:
    frame = sys._getframe(1)  # noqa: SLF001 - who asked is not said otherwise
    while frame := frame.f_back:  # type: ignore[assignment]
        path = frame.f_code.co_filename
        if path.startswith(STORAGE) and not path.startswith(ENGINES):
            name = f"{path[_BEFORE:]}:{frame.f_code.co_qualname}"
            _spoke[connection.dialect.name].add(name)
            return


class _Gathering:
    """Workers hand on what they saw; whoever has no worker looks at the end."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        for kind, names in getattr(node, "workeroutput", {}).get("spoke", {}).items():
            _spoke[kind] |= set(names)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["spoke"] = {kind: sorted(names) for kind, names in _spoke.items()}
            return
        _missing.update(_spoke["sqlite"] - _spoke["postgresql"] - ALONE)
        if _missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        for line in _lines():
            terminalreporter.write_line(line, red=True)


def _lines() -> Iterator[str]:
    if _missing:
        yield "No test sent the SQL of these to PostgreSQL; mark one both_stores:"
    yield from sorted(_missing)


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    config.pluginmanager.register(_Gathering())
