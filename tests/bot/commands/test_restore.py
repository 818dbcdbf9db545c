"""``kentongan restore``: into an empty store, whole or not at all."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.operations import backups
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import leases
from tests.support.places import ROOT
from tests.support.terminal import PASSPHRASES

SLOWLY = """
import sys, time
from bot.cli import app
from storage.backups import restoring
whole = restoring.Everything.{method}
def slowly(self, *args):
    whole(self, *args)
    {condition}print("now", flush=True); time.sleep(60)
restoring.Everything.{method} = slowly
sys.argv = ["kentongan", "restore", "one.kentongan", "--yes"]
app()
"""


@pytest.fixture
def moved(terminal):
    """Back up, and leave config.toml and the key beside it, as on another machine."""
    place = Path("files/ab")
    place.mkdir(parents=True)
    assert terminal("backup", "--to", "one.kentongan").code == 0
    shutil.rmtree("files")
    old = Path("old")
    old.mkdir()
    for path in Path().glob("kentongan.db*"):
        path.rename(old / path.name)
    return terminal


def test_everything_is_back_and_what_to_do_next_is_said(moved):
    said = moved("restore", "one.kentongan", "--yes")
    assert said.code == 0, said
    for words in ("audit verify", "Nobody is signed in", "STOP", "tombstones.log"):
        assert words in said.out
    assert moved("audit", "verify").code == 0
    assert not Path("files/.restoring").exists()
    assert Path("kentongan.db").stat().st_mode & 0o777 == 0o600
    logins = [row["login"] for row in moved("officer", "list", "--json").json]
    assert logins == ["siti", "wayan"]
    added = moved(
        "officer", "add", "budi", "--unit", "Pengaduan", "--member", "siti",
        PASSPHRASE=f"kata sandi petugas baru\n{PASSPHRASES['siti']}",
    )  # fmt: skip
    assert added.code == 0, added


def test_json(moved):
    said = moved("restore", "one.kentongan", "--yes", "--json")
    assert said.code == 0, said
    assert said.json["rows"]["officers"] == 2
    assert said.json["letters_in_doubt"] == 0


def test_the_postgresql_of_tomorrow(moved, postgres_url):
    environ = {"DATABASE__URL": postgres_url}
    said = moved("restore", "one.kentongan", "--yes", **environ)
    assert said.code == 0, said
    assert moved("audit", "verify", **environ).code == 0
    assert moved("backup", "--to", "two.kentongan", **environ).code == 0
    assert moved("restore", "two.kentongan", "--yes").code == 0
    assert moved("audit", "verify").code == 0


def test_it_asks_first(moved):
    assert "--yes" in moved.refused("restore", "one.kentongan")


def test_a_store_with_anything_in_it_is_refused(terminal):
    assert terminal("backup", "--to", "one.kentongan").code == 0
    assert "not empty" in terminal.refused("restore", "one.kentongan", "--yes")
    store = Database("sqlite:///kentongan.db")
    with store.writing() as session:
        leases.hold(session, "poller", "h", seconds=60, now=utc_now())
    store.close()
    assert "stop it" in terminal.refused("restore", "one.kentongan", "--yes")


def test_foreign_evidence_is_not_touched(moved):
    stray = Path(f"files/ab/{'ab' * 16}.original")
    stray.parent.mkdir(parents=True)
    stray.write_text("of another store")
    assert "another store" in moved.refused("restore", "one.kentongan", "--yes")
    assert stray.exists()


def test_what_is_no_good_backup_is_refused_before_anything_is_written(moved, tmp_path):
    whole = Path("one.kentongan").read_bytes()
    Path("cut.kentongan").write_bytes(whole[:-1])
    Path("strange.kentongan").write_text("hello")
    assert "damaged" in moved.refused("restore", "cut.kentongan", "--yes")
    assert "no backup" in moved.refused("restore", "strange.kentongan", "--yes")
    assert "no such file" in moved.refused("restore", "none.kentongan", "--yes")
    other = tmp_path / "other.key"
    other.write_text(ServerKeys.new().to_text())
    other.chmod(0o600)
    line = moved.refused(
        "restore", "one.kentongan", "--yes", KEYS__SERVER_KEY_FILE=str(other)
    )
    assert "does not open" in line
    assert not Path("files").exists()
    assert moved("restore", "one.kentongan", "--yes").code == 0


def test_an_older_backup_that_takes_the_place_of_the_proved_one_does_not_go_in(
    moved, monkeypatch
):
    shutil.copy("old/kentongan.db", "kentongan.db")
    assert moved("backup", "--to", "two.kentongan").code == 0
    Path("kentongan.db").unlink()
    prove = backups.prove

    def then_swapped(path, *args, **kwargs):
        proof = prove(path, *args, **kwargs)
        Path("one.kentongan").replace(path)
        return proof

    with monkeypatch.context() as patched:
        patched.setattr(backups, "prove", then_swapped)
        line = moved.refused("restore", "two.kentongan", "--yes")
    assert "took its place" in line
    assert not Path("files/.restoring").exists()
    assert moved("restore", "two.kentongan", "--yes").code == 0, "nothing was written"


def test_a_ring_without_the_line_it_needs_is_refused(terminal):
    old = Path("server.key").read_text()
    assert terminal("keys", "rotate").code == 0
    assert terminal("backup", "--to", "one.kentongan").code == 0
    Path("kentongan.db").unlink()
    Path("server.key").write_text(old)
    line = terminal.refused("restore", "one.kentongan", "--yes")
    assert "no line 2" in line


def test_a_newer_ring_says_to_rotate(moved):
    ring = ServerKeys.from_text(Path("server.key").read_text())
    Path("server.key").write_text(ring.with_new().to_text())
    said = moved("restore", "one.kentongan", "--yes")
    assert said.code == 0, said
    assert "keys rotate" in said.out
    assert moved("keys", "rotate").code == 0
    assert moved("audit", "verify").code == 0


@pytest.mark.parametrize("method", ["rows", "table"])
def test_killed_in_the_middle_it_is_known_and_run_again(moved, method):
    condition = 'if args[0] == "officers": ' if method == "table" else ""
    script = SLOWLY.format(method=method, condition=condition)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=environ
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
    for words in (("audit", "verify"), ("migrate",), ("serve",), ("backup",)):
        assert "interrupted" in moved.refused(*words), words
    line = moved.refused(
        "init", "--recovery-public", "recovery.public", PASSPHRASE="x" * 20
    )
    assert "interrupted" in line
    assert moved("restore", "one.kentongan", "--yes").code == 0
    assert moved("audit", "verify").code == 0
