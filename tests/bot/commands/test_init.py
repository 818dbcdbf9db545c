import stat
from pathlib import Path

import pytest

from bot.terminal import desk
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.people import officers
from storage.units import above, memberships, readiness
from tests.support.terminal import ABOVE, PASSPHRASES, init


def mode(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_everything_is_made_and_private(terminal):
    assert mode("config.toml") == mode("server.key") == mode("kentongan.db") == 0o600
    assert mode("files") == 0o700
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        assert readiness.ready(session, seat.keys) == []
        assert log.verify(session, seat.keys) is None
        siti = officers.verified(session, seat.keys, "siti")
        assert [
            unit.name for unit in memberships.units_of(session, seat.keys, siti)
        ] == ["Pengaduan"]
        assert officers.unwrap(seat.keys, siti, PASSPHRASES["siti"])
    assert terminal("check").code == 0


def test_a_second_run_changes_nothing(terminal):
    before = {
        path: path.read_bytes() for path in terminal.folder.iterdir() if path.is_file()
    }
    said = init(terminal, PASSPHRASE="another passphrase altogether")
    assert said.code == 0
    assert "Nothing was changed" in said.out
    assert "Inspektorat Contoh" in said.out
    assert {path: path.read_bytes() for path in before} == before


def test_passphrases_come_by_standard_input(empty):
    said = empty(
        "init", "--officer", "siti", "--recovery-public", "recovery.public",
        stdin="".join(f"{line}\n" for line in PASSPHRASES.values()),
    )  # fmt: skip
    assert said.code == 0
    assert not any(phrase in said.out + said.err for phrase in PASSPHRASES.values())
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        custodian = officers.verified(session, seat.keys, "custodian")
        assert officers.unwrap(seat.keys, custodian, PASSPHRASES["wayan"])


def test_one_line_in_the_environment_serves_both_with_a_warning(empty):
    said = init(empty, PASSPHRASE="one passphrase for the two")
    assert said.code == 0
    assert "two lines" in said.err


def test_made_passphrases_are_shown_once_and_are_right(empty):
    said = init(empty, "--generate")
    assert said.code == 0
    shown = dict(
        line.removeprefix("Passphrase of ").split(" (shown once): ")
        for line in said.out.splitlines()
        if line.startswith("Passphrase of ")
    )
    assert set(shown) == {"siti", "wayan"}
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        siti = officers.verified(session, seat.keys, "siti")
        assert officers.unwrap(seat.keys, siti, shown["siti"])


def test_two_people_stand_above_us_from_the_beginning(empty):
    said = init(empty, *ABOVE, "--generate")
    assert said.code == 0
    assert "unit Di Atas Kami: ratna, yusuf" in said.out
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        assert above.missing(session, seat.keys) == []
        unit = above.find(session, seat.keys)
        assert unit is not None
        members = memberships.members(session, seat.keys, unit)
        assert [one.login for one in members] == ["ratna", "yusuf"]
        assert log.verify(session, seat.keys) is None
    for login in ("ratna", "yusuf"):
        assert f"Passphrase of {login} (shown once)" in said.out


def test_without_anybody_above_it_is_said_and_how_to_mend_it(empty):
    said = init(empty, "--generate")
    assert said.code == 0
    assert "kentongan unit above" in said.out


def test_settings_that_are_there_are_kept(empty):
    text = '[agency]\nname = "Inspektorat Jambi"\n[files]\npath = "sealed"\n'
    Path("config.toml").write_text(text)
    assert init(empty, PASSPHRASE="one passphrase for the two").code == 0
    assert Path("config.toml").read_text() == text
    assert Path("sealed").is_dir()


def test_config_may_be_named_before_or_after_the_command(empty):
    more = ("--recovery-public", "recovery.public", "--generate")
    assert empty("--config", "a.toml", "init", *more).code == 0
    assert empty("init", "--config", "a.toml").code == 0
    assert empty("--config", "a.toml", "unit", "list").code == 0
    assert empty("unit", "list", "--config", "a.toml").code == 0
    assert empty("unit", "list", CONFIG="a.toml").code == 0
    assert not Path("config.toml").exists()


def test_a_name_with_quotes_survives(empty):
    more = ("--recovery-public", "recovery.public", "--generate")
    assert empty("init", "--agency", 'Insp. "A" \\ B', *more).code == 0
    assert desk.settings_of(None).agency.name == 'Insp. "A" \\ B'


@pytest.mark.parametrize(
    ("words", "environ", "line"),
    [
        (("--generate",), {}, "kentongan keys new-recovery"),
        (("--recovery-public", "no.such", "--generate"), {}, "no.such: no such file"),
        (("--recovery-public", "half.public", "--generate"), {}, "are missing"),
        (("--recovery-public", "bad.public", "--generate"), {}, "cannot be read"),
        (("--recovery-public", "recovery.public"), {}, "no passphrase for supervisor"),
        (
            ("--recovery-public", "recovery.public"),
            {"PASSPHRASE": "too short"},
            "at least 16 characters",
        ),
        (
            (
                "--recovery-public",
                "recovery.public",
                "--officer",
                "custodian",
                "--generate",
            ),
            {},
            "different people",
        ),
        (
            ("--recovery-public", "recovery.public", "--officer", "A!", "--generate"),
            {},
            "2 to 40 characters",
        ),
        (
            ("--recovery-public", "recovery.public", "--above", "ratna", "--generate"),
            {},
            "two people or more",
        ),
        (("--agency", "x" * 61, "--generate"), {}, "config.toml: agency.name"),
        (("--timezone", "Mars/Base", "--generate"), {}, "no time zone"),
        (("--generate",), {"TYPO": "1"}, "unknown variable KENTONGAN_TYPO"),
    ],
)
def test_what_is_refused_makes_nothing(empty, words, environ, line):
    publics = Path("recovery.public").read_text()
    Path("half.public").write_text(publics.splitlines()[0])
    Path("bad.public").write_text("cases:AAAA\n")
    before = sorted(Path().iterdir())
    assert line in empty.refused("init", *words, **environ)
    assert sorted(Path().iterdir()) == before


def test_a_lost_server_key_is_never_replaced(terminal):
    Path("server.key").unlink()
    assert "server.key: no such file" in init(terminal, "--generate").err
    assert not Path("server.key").exists()


def test_another_key_is_refused(terminal):
    Path("server.key").write_text(ServerKeys.new().to_text())
    assert "does not belong to this database" in terminal.refused("init")
    assert "does not belong to this database" in terminal.refused("officer", "list")
