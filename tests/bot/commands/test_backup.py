"""``kentongan backup``, as an operator and a timer type it."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.clock import utc_now
from bot.operations import backups
from storage.backups import records, writing
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import leases, watches
from storage.jobs.watches import Watched


@pytest.fixture
def store():
    found = Database("sqlite:///kentongan.db")
    yield found
    found.close()


def watch(store: Database):
    with store.reading() as session:
        return watches.read(session)[Watched.BACKUP]


def test_one_private_file_read_back_and_opened(terminal, store):
    said = terminal("backup", "--to", "one.kentongan")
    assert said.code == 0, said
    assert "read back and opened" in said.out
    assert "the server key (line 1)" in said.out
    assert "config.toml" in said.out
    assert "tombstones.log" in said.out
    assert stat.S_IMODE(Path("one.kentongan").stat().st_mode) == 0o600
    head = terminal("audit", "head").out.strip()
    assert head in said.out
    assert watch(store).good is not None
    assert watch(store).failures == 0
    assert [p.name for p in Path().iterdir() if "one" in p.name] == ["one.kentongan"]


def test_json_says_all_of_it_and_no_secret(terminal):
    told = terminal("backup", "--json").json
    assert Path(told["file"]).parent == backups.FOLDER
    assert stat.S_IMODE(backups.FOLDER.stat().st_mode) == 0o700
    assert told["rows"]["officers"] == 2
    assert told["left_out"] == ["invitations", "leases", "link_tokens", "sessions"]
    assert told["server_keys"] == [1]
    assert told["opened"] > 5
    assert (told["faults"], told["lost"], told["removed"]) == ([], [], [])
    again = terminal("backup", "--verify", told["file"], "--json")
    assert again.code == 0
    same = set(told) - {"removed", "too_old"}
    assert {name: again.json[name] for name in same} == {n: told[n] for n in same}
    assert Path("server.key").read_text().split(":")[1].strip() not in again.out


def test_a_running_server_is_no_hindrance(terminal, store):
    with store.writing() as session:
        assert leases.hold(session, "poller", "h", seconds=60, now=utc_now())
    assert terminal("backup").code == 0


def test_nothing_is_overwritten_and_nothing_lies_among_the_evidence(terminal, store):
    Path("one.kentongan").write_text("mine")
    assert "never overwrites" in terminal.refused("backup", "--to", "one.kentongan")
    assert Path("one.kentongan").read_text() == "mine"
    Path("files/aa").mkdir(parents=True)
    line = terminal.refused("backup", "--to", "files/aa")
    assert "among the evidence" in line
    assert "no such folder" in terminal.refused("backup", "--to", "nowhere/x.kentongan")
    assert "ends in .kentongan" in terminal.refused("backup", "--to", "one.db")
    assert watch(store).failures == 4
    assert watch(store).code == "refused"
    terminal.misused("backup", "--verify", "one.kentongan", "--keep", "2")
    terminal.misused("backup", "--keep", "0")


def test_no_room_is_said_before_anything_is_written(terminal, monkeypatch):
    monkeypatch.setattr(backups, "_SPARE", 1 << 60)
    assert "make room" in terminal.refused("backup")
    assert list(backups.FOLDER.iterdir()) == []


def test_a_full_disk_leaves_nothing(terminal, monkeypatch, store):
    def full(_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert "no space left" in terminal.refused("backup", "--to", "one.kentongan")
    assert not [p for p in Path().iterdir() if "one" in p.name]
    assert watch(store).bad is not None


def test_a_backup_that_does_not_read_back_is_none(terminal, monkeypatch, store):
    whole = writing.write

    def cut(*args, **more):
        told = whole(*args, **more)
        args[3].truncate(args[3].tell() - 1)
        return told

    monkeypatch.setattr(writing, "write", cut)
    assert "damaged or cut off" in terminal.refused("backup", "--to", "one.kentongan")
    assert not Path("one.kentongan").exists()
    assert watch(store).code == "damaged"


def test_old_ones_go_and_strangers_stay(terminal):
    folder = Path("many")
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "strange.kentongan").write_text("somebody else's")
    newer = records.MAGIC + records.START.pack(records.VERSION + 1, bytes(16), 60)
    (folder / "newer.kentongan").write_bytes(newer)
    for n in range(4):
        said = terminal(
            "backup", "--to", f"many/{n}.kentongan", "--keep", "2", "--json"
        )
        assert said.code == 0, said
        assert len(said.json["removed"]) == (n > 1)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("notes.txt", "strange.kentongan", "newer.kentongan"),
        *("2.kentongan", "3.kentongan"),
    }


def test_one_that_is_too_old_is_named(terminal, monkeypatch):
    with monkeypatch.context() as patch:
        ago = utc_now() - timedelta(days=31)
        patch.setattr("bot.commands.backup.utc_now", lambda: ago)
        assert terminal("backup", "--to", "old.kentongan").code == 0
    said = terminal("backup", "--to", "new.kentongan", "--json")
    assert said.code == 0
    assert said.json["too_old"] == ["old.kentongan"]
    assert "retention.backup_days (30)" in said.err


def test_a_store_that_is_not_whole_is_copied_and_said_to_be(terminal, store):
    assert terminal("backup", "--to", "good.kentongan").code == 0
    with store.writing() as session:
        session.connection().execute(text("UPDATE officers SET role = 'admin'"))
    line = terminal.refused("backup", "--to", "bad.kentongan", "--keep", "1")
    assert "not whole" in line
    assert Path("bad.kentongan").exists()
    assert Path("good.kentongan").exists(), "the last good one stays"
    assert watch(store).code == "store"
    assert "not whole" in terminal.refused("backup", "--verify", "bad.kentongan")


def test_verify_tells_a_stranger_a_damaged_one_and_another_key(terminal, tmp_path):
    assert terminal("backup", "--to", "one.kentongan").code == 0
    whole = Path("one.kentongan").read_bytes()
    said = terminal("backup", "--verify", "one.kentongan")
    assert said.code == 0
    assert "read back and opened" in said.out
    for content, line in (
        (b"PK\3\4", "no backup of Kentongan"),
        (whole[:-1], "damaged or cut off"),
        (whole[:-60000], "damaged or cut off"),
        (whole[:5000] + bytes((whole[5000] ^ 1,)) + whole[5001:], "damaged or cut off"),
    ):
        Path("other.kentongan").write_bytes(content)
        assert line in terminal.refused("backup", "--verify", "other.kentongan")
    other = tmp_path / "other.key"
    other.write_text(ServerKeys.new().to_text())
    other.chmod(0o600)
    line = terminal.refused(
        "backup", "--verify", "one.kentongan", KEYS__SERVER_KEY_FILE=str(other)
    )
    assert "does not open this backup" in line
    assert "no such file" in terminal.refused("backup", "--verify", "none.kentongan")


def test_what_a_killed_one_left_goes_after_a_day(terminal):
    backups.FOLDER.mkdir()
    old, new = (backups.FOLDER / f".x.kentongan.{n}.part" for n in "ab")
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert terminal("backup").code == 0
    assert not old.exists()
    assert new.exists()
