import re

import pytest

from bot.terminal import desk
from storage.crypto.sealing import NotAuthentic
from storage.people import officers
from storage.units import units
from tests.support.terminal import PASSPHRASES
from tests.support.unsealing import unit_secret

NEW = "kata sandi petugas baru"
BOTH = f"{NEW}\n{PASSPHRASES['siti']}"


def secret_of_unit(login, passphrase, name="Pengaduan"):
    """Open a unit's key as the officer does at sign-in."""
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        officer = officers.verified(session, seat.keys, login)
        secret = officers.unwrap(seat.keys, officer, passphrase)
        unit = units.named(session, seat.keys, name)
        return unit_secret(session, seat.keys, unit, officer, secret)


def test_a_member_admits_a_newcomer(terminal):
    said = terminal(
        "officer", "add", "budi", "--name", "Budi", "--unit", "Pengaduan",
        "--member", "siti", PASSPHRASE=BOTH,
    )  # fmt: skip
    assert said.code == 0, said
    assert secret_of_unit("budi", NEW) == secret_of_unit("siti", PASSPHRASES["siti"])
    assert NEW not in said.out
    assert terminal("audit", "verify").code == 0


def test_the_member_may_type_after_the_environment(terminal):
    said = terminal(
        "officer", "add", "budi", "--unit", "Pengaduan", "--member", "siti",
        PASSPHRASE=NEW, stdin=f"{PASSPHRASES['siti']}\n",
    )  # fmt: skip
    assert said.code == 0, said


def test_an_account_alone_waits_for_admission(terminal):
    said = terminal("officer", "add", "budi", "--generate")
    assert said.code == 0
    passphrase = said.out.rsplit(": ", 1)[1].strip()
    told = terminal("keys", "fingerprint", "budi").out.strip()
    assert f"Fingerprint: {told}" in said.out
    said = terminal(
        "officer", "admit", "budi", "--unit", "Pengaduan", "--member", "siti",
        PASSPHRASE=PASSPHRASES["siti"],
    )  # fmt: skip
    assert said.code == 0, said
    assert secret_of_unit("budi", passphrase)
    rows = {row["login"]: row for row in terminal("officer", "list", "--json").json}
    assert rows["budi"] == {
        "login": "budi", "name": "budi", "role": "handler", "active": True,
        "units": ["Pengaduan"], "waiting": [], "telegram": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "given", "line"),
    [
        (("siti", "--generate"), "", "account with this login already"),
        (("budi", "--unit", "Pengaduan", "--generate"), "", "one of them must be present"),
        (("budi", "--unit", "Nowhere", "--generate"), "", "no unit with this name"),
        (("budi", "--unit", "Pengaduan", "--member", "nobody", "--generate"), "", "no active"),
        (
            ("budi", "--unit", "Pengaduan", "--member", "siti", "--generate"),
            "",
            "no passphrase for siti",
        ),
        (
            ("budi", "--unit", "Pengaduan", "--member", "siti", "--generate"),
            "not the right one",
            "passphrase of siti is not right",
        ),
        (
            ("budi", "--unit", "Pengaduan", "--member", "wayan", "--generate"),
            PASSPHRASES["wayan"],
            "wayan is no member of Pengaduan",
        ),
        (
            ("budi", "--unit", "Pengaduan", "--role", "custodian", "--member", "siti",
             "--generate"),
            PASSPHRASES["siti"],
            "Custodians sit in the vault",
        ),
        (("Bad Login", "--generate"), "", "2 to 40 characters"),
        (("budi",), "short", "at least 16 characters"),
    ],
)  # fmt: skip
def test_what_is_refused_adds_nobody(terminal, words, given, line):
    environ = {"PASSPHRASE": given} if given else {}
    assert line in terminal.refused("officer", "add", *words, **environ)
    logins = [row["login"] for row in terminal("officer", "list", "--json").json]
    assert logins == ["siti", "wayan"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("add",), "login"),
        (("add", "budi", "--member", "siti"), "--unit"),
        (("add", "budi", "--role", "king"), "king"),
        (("add", "budi", "--language", "Indonesian"), "language"),
        (("fire", "budi"), "fire"),
        (("list", "--nonsense"), "--nonsense"),
    ],
)
def test_misuse_ends_with_two(terminal, words, line):
    assert line in terminal.misused("officer", *words)


def test_a_first_member_of_a_new_unit_needs_nobody(terminal):
    assert terminal("unit", "add", "Wilayah II").code == 0
    said = terminal(
        "officer", "add", "rini", "--unit", "Wilayah II", "--role", "supervisor",
        PASSPHRASE=NEW,
    )  # fmt: skip
    assert said.code == 0, said
    assert secret_of_unit("rini", NEW, "Wilayah II")


def test_an_invitation_is_a_link_for_one_login(terminal):
    said = terminal("officer", "invite", "budi", "--unit", "Pengaduan")
    assert said.code == 0, said
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/console/join/[\w-]{43}\n", said.out)
    assert "once" in said.err
    line = terminal.refused("officer", "invite", "siti", "--unit", "Pengaduan")
    assert "account with this login" in line
    line = terminal.refused(
        "officer", "invite", "rini", "--role", "auditor", "--unit", "Pengaduan"
    )
    assert "handling units" in line
    assert terminal("audit", "verify").code == 0


def test_who_is_removed_waits_for_nothing_and_the_key_is_another(terminal):
    terminal(
        "officer", "add", "budi", "--unit", "Pengaduan", "--member", "siti",
        PASSPHRASE=BOTH,
    )  # fmt: skip
    before = secret_of_unit("siti", PASSPHRASES["siti"])
    said = terminal("officer", "remove", "budi", "--unit", "Pengaduan")
    assert said.code == 0, said
    assert secret_of_unit("siti", PASSPHRASES["siti"]) != before
    with pytest.raises(NotAuthentic):
        secret_of_unit("budi", NEW)
    line = terminal.refused("officer", "remove", "budi", "--unit", "Pengaduan")
    assert "no member" in line
    assert terminal("audit", "verify").code == 0


def test_the_last_member_leaves_with_a_yes_only(terminal):
    line = terminal.refused("officer", "remove", "siti", "--unit", "Pengaduan")
    assert "--yes" in line
    said = terminal("officer", "end", "siti", "--yes")
    assert said.code == 0, said
    assert terminal.refused("officer", "end", "siti", "--yes")
    rows = {row["login"]: row for row in terminal("officer", "list", "--json").json}
    assert rows["siti"]["active"] is False
    assert rows["siti"]["units"] == []
    said = terminal("doctor", "--json")
    assert "has no member left" in said.out
    assert terminal("audit", "verify").code == 0
