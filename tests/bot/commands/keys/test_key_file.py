"""A key file that cannot be used: every command refuses in one line that says what to do."""

import os
import secrets
from pathlib import Path

import pytest

from storage.crypto.server_key import ServerKeys
from tests.support.serving import free_port

KEY = Path("server.key")
COMMANDS = (
    ("serve",),
    ("officer", "list"),
    ("unit", "list"),
    ("unit", "route", "list"),
    ("case", "list"),
    ("keys", "status"),
    ("keys", "rotate"),
    ("keys", "recover", "rina", "--generate"),
    ("audit", "verify"),
)


def wrong():
    KEY.write_text(ServerKeys.new().to_text())


def missing():
    KEY.unlink()


def empty():
    KEY.write_text("")


def blank():
    KEY.write_text("  \n\n")


def garbage():
    KEY.write_bytes(b"1:" + b"x" * 44)


def noise():
    KEY.write_bytes(secrets.token_bytes(40) + b"\xff")


def short():
    KEY.write_text("1:AAAA\n")


def twice():
    KEY.write_text(KEY.read_text() + KEY.read_text())


def read_by_group():
    KEY.chmod(0o640)


def read_by_all():
    KEY.chmod(0o604)


def written_by_all():
    KEY.chmod(0o602)


def folder():
    KEY.unlink()
    KEY.mkdir(mode=0o700)


def link_to_an_open_file():
    KEY.rename("open.key")
    Path("open.key").chmod(0o644)
    KEY.symlink_to("open.key")


def link_to_nothing():
    KEY.unlink()
    KEY.symlink_to("gone.key")


def pipe():
    KEY.unlink()
    os.mkfifo(KEY, 0o600)


FAULTS = (
    (wrong, "does not belong to this database"),
    (missing, "restore your copy"),
    (empty, "is empty"),
    (blank, "is empty"),
    (garbage, "restore your copy"),
    (noise, "is no text"),
    (short, "restore your copy"),
    (twice, "two lines 1"),
    (read_by_group, "chmod 600 server.key"),
    (read_by_all, "chmod 600 server.key"),
    (written_by_all, "chmod 600 server.key"),
    (folder, "is a directory"),
    (link_to_an_open_file, "chmod 600 server.key"),
    (link_to_nothing, "restore your copy"),
    (pipe, "is no file"),
)


@pytest.mark.parametrize(("spoil", "line"), FAULTS)
def test_every_command_refuses(terminal, spoil, line):
    spoil()
    for words in COMMANDS:
        said = terminal.refused(*words, SERVER__PORT=str(free_port()))
        assert line in said, words


def test_a_link_to_a_private_file_is_fine(terminal):
    KEY.rename("private.key")
    KEY.symlink_to("private.key")
    assert terminal("unit", "list").code == 0


@pytest.mark.parametrize("mode", [0o400, 0o440])
def test_a_credential_of_systemd_may_show_its_access_list(terminal, monkeypatch, mode):
    credentials = Path("credentials").absolute()
    credentials.mkdir()
    KEY.rename(credentials / "server.key")
    (credentials / "server.key").chmod(mode)
    where = str(credentials / "server.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert terminal("unit", "list", KEYS__SERVER_KEY_FILE=where).code == 0
    line = terminal.refused("keys", "rotate", KEYS__SERVER_KEY_FILE=where)
    assert "credential of systemd" in line
    (credentials / "server.key").chmod(0o444)
    line = terminal.refused("unit", "list", KEYS__SERVER_KEY_FILE=where)
    assert "chmod 600" in line
    (credentials / "server.key").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/nowhere")
    line = terminal.refused("unit", "list", KEYS__SERVER_KEY_FILE=where)
    assert "chmod 600" in line
