"""Passphrases typed at a terminal: hidden, twice, or made."""

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from bot.terminal import desk
from storage.people import officers
from tests.support.places import ROOT

PATIENCE = 30.0
OFFICER = "kata sandi yang cukup panjang"


@pytest.fixture(autouse=True, scope="module")
def hashing() -> None:
    """Hash as slowly as the process at the terminal does."""


def at_a_terminal(folder, words, typed):
    """Run a command at a terminal of its own; return its exit code and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "bot", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, begin, waiting = "", 0, list(typed)
    while select.select([ours], [], [], PATIENCE)[0]:
        try:
            shown += os.read(ours, 65536).decode()
        except OSError:
            break
        # The last letter of a prompt is written when the terminal hides what is typed.
        if waiting and re.search(f"{waiting[0][0]}.*: $", shown[begin:], re.DOTALL):
            begin = len(shown)
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    else:
        process.kill()
    os.close(ours)
    return process.wait(60), shown


def test_one_is_typed_twice_and_one_is_made(empty):
    code, shown = at_a_terminal(
        empty.folder,
        ["init", "--officer", "siti", "--recovery-public", "recovery.public"],
        [
            ("Passphrase of siti", OFFICER),
            ("Once more", OFFICER),
            ("Passphrase of custodian", ""),
        ],
    )
    assert code == 0, shown
    assert OFFICER not in shown
    made = shown.split("Passphrase of custodian (shown once): ")[1].splitlines()[0]
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        for login, passphrase in (("siti", OFFICER), ("custodian", made.strip())):
            officer = officers.verified(session, seat.keys, login)
            assert officers.unwrap(seat.keys, officer, passphrase)


def test_two_that_differ_are_refused(empty):
    code, shown = at_a_terminal(
        empty.folder,
        ["init", "--recovery-public", "recovery.public"],
        [("Passphrase of supervisor", OFFICER), ("Once more", OFFICER[:-1])],
    )
    assert code == 1
    assert "differ" in shown
    assert not Path("kentongan.db").exists()


def test_lists_are_tables_at_a_terminal(terminal):
    code, shown = at_a_terminal(terminal.folder, ["unit", "list"], [])
    assert code == 0
    assert "members" in shown
    assert "Pengaduan" in shown
    code, shown = at_a_terminal(terminal.folder, ["case", "list"], [])
    assert "nothing" in shown
