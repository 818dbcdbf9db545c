"""``kentongan keys status``, ``rotate`` and ``retire``, as an operator types them."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import utc_now
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import leases
from storage.rekeying import server_key
from tests.support.serving import free_port
from tests.support.terminal import PASSPHRASES

KEY = Path("server.key")


def ring() -> ServerKeys:
    return ServerKeys.from_text(KEY.read_text())


def rows(terminal, key_id):
    found = terminal("keys", "status", "--json").json["server_key"]
    return {f"{r['table']}.{r['what']}": r for r in found if r["id"] == key_id}


@pytest.fixture
def holding():
    """Hold a lease as a running server does."""
    store = Database("sqlite:///kentongan.db")

    def hold(seconds):
        with store.writing() as session:
            now = utc_now() - timedelta(seconds=1)
            assert leases.hold(session, "poller", "h", seconds=seconds, now=now)

    yield hold
    store.close()


def test_status_tells_what_needs_which_key_and_no_secret(terminal):
    said = terminal("keys", "status", "--json")
    assert said.code == 0, said
    found = said.json
    assert {row["id"] for row in found["server_key"]} == {1}
    assert [row["unit"] for row in found["units"]] == ["Pengaduan", "Penjaga Identitas"]
    assert all(row["members"] == 1 for row in found["units"])
    assert all(row["cases_to_reseal"] == 0 for row in found["units"])
    assert {row["recovery"] for row in found["recovery"]} == {"cases", "identities"}
    assert all(len(row["fingerprint"].split()) == 6 for row in found["recovery"])
    plain = terminal("keys", "status")
    secret = KEY.read_text().split(":")[1].strip()
    assert "officers" in plain.out
    assert secret not in plain.out + said.out


def test_rotate_and_go_on(terminal):
    before = KEY.read_text()
    said = terminal("keys", "rotate")
    assert said.code == 0, said
    assert "signs in again" in said.out
    assert KEY.read_text().startswith(before)
    assert sorted(ring().ring) == [1, 2]
    assert stat.S_IMODE(KEY.stat().st_mode) == 0o600
    assert not list(Path().glob("*.part"))
    assert set(rows(terminal, 1)) == {"audit.mac", "officers.secret"}
    assert "next sign-in" in rows(terminal, 1)["officers.secret"]["stays"]
    assert rows(terminal, 2)["officers.tag"]["count"] == 2
    assert terminal("audit", "verify").code == 0
    added = terminal(
        "officer", "add", "budi", "--unit", "Pengaduan", "--member", "siti",
        PASSPHRASE=f"kata sandi petugas baru\n{PASSPHRASES['siti']}",
    )  # fmt: skip
    assert added.code == 0, added
    assert rows(terminal, 2)["officers.secret"]["count"] == 1


def test_the_key_file_may_be_a_link(terminal):
    Path("keys").mkdir()
    KEY.rename("keys/real.key")
    KEY.symlink_to("keys/real.key")
    assert terminal("keys", "rotate").code == 0
    assert KEY.is_symlink()
    assert len(ring().ring) == 2


def test_an_id_that_is_needed_is_not_retired(terminal):
    assert "no old id" in terminal.refused("keys", "retire", "1")
    assert terminal("keys", "rotate").code == 0
    line = terminal.refused("keys", "retire", "1")
    assert "officers.secret" in line
    assert "audit.mac" in line
    assert sorted(ring().ring) == [1, 2]


def test_an_id_that_nothing_needs_is_retired(terminal):
    KEY.write_text(ring().with_new().with_new().to_text())
    assert terminal("keys", "rotate").code == 0
    assert "audit.mac" in terminal.refused("keys", "retire", "1")
    said = terminal("keys", "retire", "2")
    assert said.code == 0, said
    assert sorted(ring().ring) == [1, 3]
    assert stat.S_IMODE(KEY.stat().st_mode) == 0o600
    assert terminal("audit", "verify").code == 0
    assert "no old id" in terminal.refused("keys", "retire", "2")
    assert "no old id" in terminal.refused("keys", "retire", "3")


def test_no_rotation_while_a_server_runs(terminal, holding):
    holding(60)
    before = KEY.read_text()
    assert "stop it" in terminal.refused("keys", "rotate")
    assert KEY.read_text() == before
    holding(0)
    assert terminal("keys", "rotate").code == 0


def test_a_key_from_elsewhere_is_not_ours_to_write(terminal, monkeypatch):
    line = terminal.refused("keys", "rotate", KEYS__SERVER_KEY=KEY.read_text())
    assert "KENTONGAN_KEYS__SERVER_KEY" in line
    assert "openssl rand" in line
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(Path.cwd()))
    assert "credential of systemd" in terminal.refused("keys", "rotate")
    assert len(ring().ring) == 1


def test_a_line_that_was_added_by_hand_is_taken_up(terminal):
    wider = ring().with_new().to_text()
    said = terminal("keys", "rotate", KEYS__SERVER_KEY=wider)
    assert said.code == 0, said
    KEY.write_text(wider)
    assert set(rows(terminal, 1)) == {"audit.mac", "officers.secret"}


def test_serve_waits_for_the_end_of_a_rotation(terminal):
    KEY.write_text(ring().with_new().to_text())
    assert "keys rotate" in terminal.refused("serve", SERVER__PORT=str(free_port()))
    assert terminal("unit", "list").code == 0
    assert terminal("keys", "rotate").code == 0


def test_a_line_that_is_missing_is_named(terminal):
    assert terminal("keys", "rotate").code == 0
    KEY.write_text(ring().without(1).to_text())
    for words in (("unit", "list"), ("audit", "verify"), ("serve",)):
        assert "no line 1" in terminal.refused(*words)


def test_a_rotation_that_was_stopped_goes_on(terminal, monkeypatch):
    def stop(*_: object) -> None:
        raise OSError(5, "the plug was pulled")

    with monkeypatch.context() as patched:
        patched.setattr(server_key, "_finish", stop)
        assert "plug" in terminal.refused("keys", "rotate")
    two = KEY.read_text()
    assert terminal("keys", "rotate").code == 0
    assert KEY.read_text() == two
    assert terminal("audit", "verify").code == 0


def test_a_key_file_that_cannot_be_written_changes_nothing(terminal, monkeypatch):
    def stop(*_: object) -> None:
        raise OSError(28, "no space left on device")

    before = KEY.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", stop)
        assert "no space" in terminal.refused("keys", "rotate")
    assert KEY.read_bytes() == before
    assert not list(Path().glob("*.part"))


def test_a_unit_gets_a_new_key(terminal):
    before = terminal("keys", "fingerprint", "Pengaduan", "--unit").out
    said = terminal("keys", "rotate", "--unit", "Pengaduan")
    assert said.code == 0, said
    assert "generation 2" in said.out
    assert terminal("keys", "fingerprint", "Pengaduan", "--unit").out != before
    units = terminal("keys", "status", "--json").json["units"]
    assert units[0]["generation"] == 2
    assert terminal("audit", "verify").code == 0
    assert "no unit" in terminal.refused("keys", "rotate", "--unit", "Nowhere")
