"""A store, a key or a setting that cannot be used: one line, exit code 1, no traceback."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from bot import cli
from bot.assembly import hardening
from bot.terminal import refusals
from storage.crypto.server_key import ServerKeys
from storage.models import Setting


def unknown_key():
    Path("config.toml").write_text("[agency]\nnme = 'x'\n")


def broken_toml():
    Path("config.toml").write_text("[agency\n")


def no_config():
    Path("config.toml").unlink()
    Path("kentongan.db").unlink()


def no_key():
    Path("server.key").unlink()


def empty_key():
    Path("server.key").write_text("")


def key_of_nonsense():
    Path("server.key").write_text("1:AAAA\n")


def public_key_file():
    Path("server.key").chmod(0o644)


def other_key():
    Path("server.key").write_text(ServerKeys.new().to_text())


def no_database():
    Path("kentongan.db").unlink()


def empty_database():
    Path("kentongan.db").unlink()
    Path("kentongan.db").touch()


def no_sqlite_file():
    Path("kentongan.db").write_bytes(b"something else, long enough to be read" * 100)


def newer_schema():
    with sqlite3.connect("kentongan.db") as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()


def lost_table():
    with sqlite3.connect("kentongan.db") as store:
        store.execute("DROP TABLE units")
    store.close()


def planted_agency():
    with sqlite3.connect("kentongan.db") as store:
        store.execute("UPDATE settings SET value = 'Somebody'")
    store.close()


def no_server():
    text = Path("config.toml").read_text()
    url = "postgresql://nobody@127.0.0.1:1/nowhere"
    Path("config.toml").write_text(text.replace("sqlite:///kentongan.db", url))


SPOILED = [
    (unknown_key, "did you mean agency.name"),
    (broken_toml, "is not valid TOML"),
    (no_config, "kentongan init"),
    (no_key, "server.key: no such file"),
    (empty_key, "is empty"),
    (key_of_nonsense, "32 bytes"),
    (public_key_file, "chmod 600"),
    (other_key, "does not belong"),
    (no_database, "kentongan init"),
    (empty_database, "kentongan init"),
    (no_sqlite_file, "no SQLite database"),
    (newer_schema, "newer version"),
    (lost_table, "kentongan migrate"),
    (planted_agency, "audit verify"),
    (no_server, "cannot be used"),
]


@pytest.mark.parametrize(
    ("spoil", "line"), SPOILED, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_spoiled_house_is_refused_in_one_line(terminal, spoil, line):
    spoil()
    assert line in terminal.refused("unit", "list")


@pytest.mark.parametrize(
    "spoil",
    [
        unknown_key,
        no_key,
        public_key_file,
        no_database,
        newer_schema,
        planted_agency,
        no_server,
    ],
)
def test_serve_refuses_too(terminal, spoil):
    spoil()
    terminal.refused("serve")


def test_migrate_says_where_it_stands(terminal):
    assert "nothing to do" in terminal("migrate").out
    newer_schema()
    assert "newer version" in terminal.refused("migrate")
    empty_database()
    assert "kentongan init" in terminal.refused("migrate")
    no_database()
    assert "kentongan init" in terminal.refused("migrate")


def test_an_older_schema_is_migrated(terminal, monkeypatch):
    from storage.database import schema as migrating  # noqa: PLC0415 - patched for this test alone

    monkeypatch.setattr(migrating, "current", lambda _: "0002")
    monkeypatch.setattr(migrating, "upgrade", lambda _: None)
    assert "schema 0002 -> " in terminal("migrate").out


def test_a_fault_of_ours_is_named_by_its_class_alone(terminal, monkeypatch):
    def fail(_session):
        raise ZeroDivisionError("a secret that passed through")

    monkeypatch.setattr("bot.commands.people.units.units.everything", fail)
    said = terminal("unit", "list")
    assert said.code == 1
    assert "ZeroDivisionError" in said.err
    assert "a secret" not in said.err + said.out


def test_a_file_that_cannot_be_read_is_named(terminal):
    shutil.rmtree("files")
    Path("files").mkdir(mode=0o700)
    line = terminal.refused("keys", "check-recovery", "--public", "files")
    assert line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device"), "no space left on device"),
        (OSError(2, "No such file", "a/b"), "a/b: no such file"),
        (OSError(), "cannot be used"),
        (ZeroDivisionError(), ""),
        (Setting, ""),
    ],
)
def test_lines_of_errors(error, line):
    assert refusals.line(error if isinstance(error, Exception) else KeyError()) == line


class _Postgres(Exception):
    def __init__(self, sqlstate):
        super().__init__("with a value in it")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("42P01", "kentongan migrate"),
        ("55P03", "locked"),
        ("25006", "read-only"),
        ("53100", "disk is full"),
        ("28P01", "refuses the login"),
        ("3D000", "no such database"),
        ("08006", "cannot be used"),
        ("22012", ""),
    ],
)
def test_lines_of_postgresql(state, line):
    error = DBAPIError("SELECT a value", {}, _Postgres(state))
    found = refusals.line(error)
    assert line in found
    assert "value" not in found


def test_help_names_every_command(terminal):
    out = terminal("--help").out
    for name in (
        "init", "serve", "demo", "chat", "check", "doctor", "migrate", "officer",
        "unit", "case", "keys", "audit",
    ):  # fmt: skip
        assert f"\n  {name} " in out
    assert terminal().code == 2
    assert cli.app.info.name == "kentongan"


def test_a_program_of_our_own_never_fails_at_a_letter(monkeypatch, capsys):
    # In a process of its own it is: tests/bot/assembly/test_hardening.py.
    for name in ("overwrite_freed", "close_memory"):
        monkeypatch.setattr(hardening, name, lambda *_: None)
    monkeypatch.setattr("sys.argv", ["kentongan", "case", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "case" in capsys.readouterr().out
