import pytest

from tests.support.terminal import PASSPHRASES

NEW = "kata sandi petugas baru"


@pytest.fixture
def two_units(terminal):
    """Add a second unit with a supervisor of its own."""
    said = terminal(
        "unit", "add", "Wilayah II", "--first", "rini", "--first-name", "Rini",
        PASSPHRASE=NEW,
    )  # fmt: skip
    assert said.code == 0, said
    return terminal


def test_units_are_listed_with_their_members(two_units):
    assert two_units("unit", "list", "--json").json == [
        {"name": name, "kind": kind, "key": True, "members": [who], "routes": ways}
        for name, kind, who, ways in (
            ("Pengaduan", "handling", "siti", ["any"]),
            ("Penjaga Identitas", "vault", "wayan", []),
            ("Wilayah II", "handling", "rini", []),
        )
    ]
    assert "Wilayah II\thandling\tyes\trini\t-" in two_units("unit", "list").out


def test_an_officer_of_one_unit_may_begin_another(terminal):
    assert terminal("unit", "add", "Wilayah III", "--first", "siti").code == 0
    assert terminal("unit", "list", "--json").json[-1]["members"] == ["siti"]


def test_a_route_takes_two_people(two_units):
    said = two_units(
        "unit", "route", "add", "Wilayah II", "--position", "KDH", "--by", "siti",
        "--second", "rini", PASSPHRASE=f"{PASSPHRASES['siti']}\n{NEW}",
    )  # fmt: skip
    assert said.code == 0, said
    assert two_units("unit", "route", "list", "--json").json == [
        {"unit": unit, "category": None, "province": None, "position": position,
         "priority": 0}
        for unit, position in two_units_in_order(two_units)
    ]  # fmt: skip
    assert "5 lines" not in two_units("audit", "verify").out


def test_a_unit_of_two_may_be_named_above_us(two_units):
    words = ("unit", "above", "Wilayah II", "--by", "siti", "--second", "rini")
    both = f"{PASSPHRASES['siti']}\n{NEW}"
    assert "two members" in two_units.refused(*words, PASSPHRASE=both)
    added = two_units(
        "officer", "add", "dewi", "--role", "supervisor", "--unit", "Wilayah II",
        "--member", "rini", PASSPHRASE=f"sandi dewi yang panjang\n{NEW}",
    )  # fmt: skip
    assert added.code == 0, added
    assert two_units(*words, PASSPHRASE=both).code == 0
    rows = two_units("unit", "route", "list", "--json").json
    found = {(row["unit"], row["position"]) for row in rows}
    assert found == {
        ("Pengaduan", None),
        ("Wilayah II", "INS"),
        ("Wilayah II", "KDH"),
    }
    said = two_units("doctor").out
    assert "above us" in said
    assert "kentongan unit above" not in said


def two_units_in_order(terminal):
    rows = terminal("unit", "route", "list", "--json").json
    found = [(row["unit"], row["position"]) for row in rows]
    assert sorted(found, key=str) == [("Pengaduan", None), ("Wilayah II", "KDH")]
    return found


@pytest.mark.parametrize(
    ("words", "given", "line"),
    [
        (("Nowhere",), "", "no unit with this name"),
        (("Penjaga Identitas",), "", "is the vault"),
        (("Pengaduan",), "", "takes two people"),
        (("Pengaduan", "--by", "siti"), "", "takes two people"),
        (
            ("Pengaduan", "--by", "siti", "--second", " SITI"),
            "",
            "two different people",
        ),
        (
            ("Pengaduan", "--by", "wayan", "--second", "siti"),
            "\n".join((PASSPHRASES["wayan"], PASSPHRASES["siti"])),
            "wayan is no supervisor",
        ),
        (("Pengaduan", "--by", "siti", "--second", "rini"), "wrong", "is not right"),
    ],
)
def test_a_route_is_refused(two_units, words, given, line):
    environ = {"PASSPHRASE": given} if given else {}
    assert line in two_units.refused("unit", "route", "add", *words, **environ)
    assert len(two_units("unit", "route", "list", "--json").json) == 1


def test_a_route_to_a_unit_without_a_key_would_stop_the_intake(terminal):
    assert terminal("unit", "add", "Leer").code == 0
    assert "no key yet" in terminal.refused("unit", "route", "add", "Leer")
    assert "no key yet" in terminal.refused("keys", "fingerprint", "Leer", "--unit")


def test_more_than_eight_entry_units_are_refused(terminal):
    both = f"{PASSPHRASES['siti']}\n{PASSPHRASES['wayan']}"
    for number in range(8):
        assert terminal("unit", "add", f"U{number}", "--first", "siti").code == 0
        words = (
            "unit",
            "route",
            "add",
            f"U{number}",
            "--by",
            "siti",
            "--second",
            "wayan",
        )
        if number < 7:
            assert terminal(*words, PASSPHRASE=both).code == 0
        else:
            assert "more than 8 units" in terminal.refused(*words, PASSPHRASE=both)


@pytest.mark.parametrize(
    "words",
    [
        ("unit", "add"),
        ("unit", "add", "  "),
        ("unit", "add", "a\nb"),
        ("unit", "add", "X", "--kind", "prison"),
        ("unit", "route", "add", "Pengaduan", "--province", "99"),
        ("unit", "route", "add", "Pengaduan", "--category", "NONE"),
    ],
)
def test_misuse_ends_with_two(terminal, words):
    terminal.misused(*words)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("Pengaduan",), "such a unit already"),
        (("Second vault", "--kind", "vault"), "one vault"),
        (("U", "--first", "wayan"), "Custodians sit in the vault"),
        (("U", "--first", "new", "--role", "auditor", "--generate"), "Custodians sit"),
    ],
)
def test_a_unit_is_refused(terminal, words, line):
    assert line in terminal.refused("unit", "add", *words)
    assert len(terminal("unit", "list", "--json").json) == 2


def test_a_unit_has_a_fingerprint(terminal):
    words = terminal("keys", "fingerprint", "Pengaduan", "--unit").out.split()
    assert len(words) == 6
