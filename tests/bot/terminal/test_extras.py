"""Without the extras: SQLite and a folder need none of them, and what does names its own."""

import os
import subprocess
import sys

import pytest

from tests.support.places import ROOT

BARE = """
import sys
sys.modules |= dict.fromkeys(("psycopg", "obstore"))  # as if they were not installed
import bot.app
from bot.cli import main
main()
"""
POSTGRES = {"DATABASE__URL": "postgresql://nobody@127.0.0.1:1/nowhere"}
S3 = {
    "BUCKET__NAME": "evidence",
    "BUCKET__ACCESS_KEY_ID": "ours",
    "BUCKET__SECRET_ACCESS_KEY": "kept",
}


@pytest.mark.usefixtures("terminal")
def test_sqlite_and_a_folder_need_no_extra():
    """In a process of its own: here both are loaded long since."""
    made = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", BARE, "backup", "--to", "one.kentongan"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environ", "place", "module", "extra"),
    [
        (POSTGRES, "KENTONGAN_DATABASE__URL", "psycopg", "postgres"),
        (S3, "KENTONGAN_BUCKET__NAME", "obstore", "s3"),
    ],
    ids=["postgres", "s3"],
)
def test_what_needs_one_is_refused_in_a_line_that_names_it(
    terminal, monkeypatch, environ, place, module, extra
):
    monkeypatch.setitem(sys.modules, module, None)
    line = (
        f"{place}: needs {module}, which is not installed: install kentongan[{extra}]\n"
    )
    for command in ("serve", "check", "backup"):
        assert terminal.refused(command, **environ) == line
    assert line.strip() in terminal("doctor", **environ).out
