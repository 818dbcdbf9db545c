"""The rule files as shipped, an agency's own copies, and what is refused."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from handlers.errors import RulesInvalid
from handlers.rules.regions import Provinces
from handlers.rules.rulebook import Rulebook, read_rules
from handlers.rules.rulefile import checked
from storage.words import Group, PositionClass, Reason
from tests.support.places import ROOT
from tests.tools import regencies

BOOK = Rulebook.load()


def test_every_coded_word_has_a_name_in_both_languages() -> None:
    for terms in (BOOK.reasons, BOOK.categories, BOOK.positions):
        for code, term in terms.items():
            assert term.code == code
            assert set(term.names) == {"id", "en"}
            assert all(term.names.values())


def test_the_code_lists_cover_the_words_of_the_field() -> None:
    assert list(BOOK.reasons) == list(Reason)
    assert {code[:3] for code in BOOK.categories} == set(Group)
    assert {term.position_class for term in BOOK.positions.values()} == set(
        PositionClass
    )
    assert BOOK.categories["NEU-01"].kinds == ("E", "D")
    assert "605" in BOOK.categories["COR-02"].law


def test_the_provinces_name_their_code_system() -> None:
    assert BOOK.provinces.code_system == "kemendagri"
    assert len(BOOK.provinces.names) == 38
    assert BOOK.provinces.names["15"] == "Jambi"


def test_the_papuan_codes_stand_beside_those_of_the_other_system() -> None:
    rows = read_rules("regions.toml", None, "id")["province"]
    papua = {code: row for code, row in rows.items() if "Papua" in row["name"]}

    assert {code: row["bps"] for code, row in papua.items()} == {
        "91": "94", "92": "91", "93": "95", "94": "96", "95": "97", "96": "92",
    }  # fmt: skip


def test_there_are_38_provinces_416_regencies_and_98_cities() -> None:
    names = BOOK.regencies.names
    kinds = Counter(name.partition(" ")[0] for name in names.values())

    assert BOOK.regencies.code_system == BOOK.provinces.code_system
    assert kinds == {"Kab.": 416, "Kota": 98}
    assert {code[:2] for code in names} == set(BOOK.provinces.names)
    assert {code: names[code] for code in ("91.03", "93.01", "94.01", "95.01")} == {
        "91.03": "Kab. Jayapura",
        "93.01": "Kab. Merauke",
        "94.01": "Kab. Nabire",
        "95.01": "Kab. Jayawijaya",
    }


def test_the_regencies_lie_as_the_tool_writes_them() -> None:
    written = regencies.written(BOOK.regencies.names, "2024.3.6")
    assert regencies.TABLE.read_text("utf-8") == written


def test_the_tool_takes_codes_and_names_and_no_districts() -> None:
    district = {"kode_kecamatan": "01", "nama_kecamatan": "Metro Pusat"}
    metro = {
        "kode_kabkota": "72",
        "nama_kabkota": "Kota Metro",
        "kecamatan": [district],
    }
    south = {"kode_kabkota": "01", "nama_kabkota": "Kab. Lampung Selatan"}
    lampung = {"kode_provinsi": "18", "kabkota": [metro, south]}

    assert list(regencies.rows({"data": [lampung]}).items()) == [
        ("18.01", "Kab. Lampung Selatan"),
        ("18.72", "Kota Metro"),
    ]


def test_every_everyday_name_is_of_a_place_and_every_ordinary_word_a_name() -> None:
    known = {*BOOK.provinces.names, *BOOK.regencies.names}
    assert set(BOOK.place_words.everyday) <= known
    assert {code for codes in BOOK.places.exact.values() for code in codes} == known
    assert BOOK.places.ordinary <= BOOK.places.exact.keys()


def test_a_jurisdiction_needs_no_regencies_and_no_words(tmp_path: Path) -> None:
    for field in Rulebook.model_fields.values():
        name = field.validation_alias
        if isinstance(name, str) and field.is_required():
            (tmp_path / name).write_text(
                (ROOT / "handlers" / "rules" / "id" / name).read_text("utf-8"), "utf-8"
            )

    book = Rulebook.load(tmp_path, "xx")

    assert book.regencies.names == {}
    assert book.places.exact["jambi"] == {"15"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[before]\ncity = ["Kota"]', "'Kota' is not one word in small letters"),
        ('[before]\nin = ["di"]\nseat = ["di"]', "before: di stands twice"),
        ('[before]\nwhere = ["di"]', "places.toml: before.where"),
        ('[everyday]\n"18.7" = ["Metro"]', r"everyday\.18\.7"),
    ],
)
def test_broken_words_of_places_are_refused(
    tmp_path: Path, text: str, named: str
) -> None:
    (tmp_path / "places.toml").write_text(text, "utf-8")

    with pytest.raises(RulesInvalid, match=named):
        Rulebook.load(tmp_path)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"province": {"15": {"name": "Jambi"}}}, "code_system"),
        (
            {"code_system": "x", "province": {"1": {"name": "Jambi"}}},
            r"province\.1: .*\[0-9\]\{2\}.*, not '1'",
        ),
        ({"code_system": "x", "province": {"15": {}}}, "province.15.name: is missing"),
        (
            {
                "code_system": "x",
                "province": {"15": {"name": "A"}, "16": {"name": "a"}},
            },
            "twice",
        ),
    ],
)
def test_a_broken_list_of_provinces_is_refused(
    data: dict[str, object], named: str
) -> None:
    with pytest.raises(RulesInvalid, match=rf"regions\.toml: .*{named}"):
        checked(data, Provinces.model_validate, "regions.toml")


def test_an_agencys_own_file_stands_in_for_ours(tmp_path: Path) -> None:
    (tmp_path / "holidays.toml").write_text(
        '[day]\n2026-06-02 = "public"\n2026-12-25 = "work"\n2026-06-03 = "joint"\n'
    )

    calendar = Rulebook.load(tmp_path).calendar([2026])

    assert not calendar.is_working(date(2026, 6, 2))
    assert not calendar.is_working(date(2026, 6, 3))
    assert calendar.is_working(date(2026, 12, 25))
    assert calendar.holidays.isdisjoint(calendar.joint_leave)


def test_the_calendar_knows_what_it_does_not_know() -> None:
    calendar = BOOK.calendar([2026, 2040])

    assert calendar.knows_joint_leave(2026)
    assert not calendar.knows_joint_leave(2040)
    assert calendar.is_working(date(2031, 1, 1)), (
        "a year without data has weekends only"
    )


REFUSED = {
    "no TOML": ("workflow.toml", "status =", "workflow.toml"),
    "no text": ("reasons.toml", "\udcff", "reasons.toml"),
    "reason left out": ("reasons.toml", '[R01]\nid = "a"\n', "R02 is missing"),
    "unknown group": (
        "categories.toml",
        '[XXX-01]\nid = "a"\n',
        "XXX-01: .* begins with one of COR",
    ),
    "unknown class": ("positions.toml", '[AAA]\nid = "a"\n', "AAA.class: is missing"),
    "no day": (
        "holidays.toml",
        '[day]\n2026-02-30x = "work"\n',
        "Invalid isoformat string",
    ),
    "no kind": (
        "holidays.toml",
        '[day]\n2026-02-03 = "off"\n',
        "2026-02-03: must be .*, not 'off'",
    ),
}


@pytest.mark.parametrize(("name", "text", "named"), REFUSED.values(), ids=REFUSED)
def test_a_broken_file_is_refused_by_name(
    tmp_path: Path, name: str, text: str, named: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(RulesInvalid, match=named):
        Rulebook.load(tmp_path)


def test_a_jurisdiction_without_rules_is_refused() -> None:
    with pytest.raises(RulesInvalid, match=r"xx/workflow\.toml"):
        Rulebook.load(jurisdiction="xx")


SAYS = {
    "a key that nobody knows": (
        'kinds = ["E", "X"]\nlaww = "x"',
        "categories.toml: OTH-00.kinds.1: must be 'E' or 'D', not 'X' (1 more to fix)",
    ),
    "another type": ("law = 3", "categories.toml: OTH-00.law: must be a text, not 3"),
    "no list": (
        'kinds = "E"',
        "categories.toml: OTH-00.kinds: must be a list, not 'E'",
    ),
    "no name": ("", "categories.toml: OTH-00: has no name in any language"),
}


@pytest.mark.parametrize(("line", "says"), SAYS.values(), ids=SAYS)
def test_an_error_says_which_file_which_entry_which_key_and_what_is_expected(
    tmp_path: Path, line: str, says: str
) -> None:
    named = f'id = "Lainnya"\n{line}' if line else ""
    (tmp_path / "categories.toml").write_text(f"[OTH-00]\n{named}\n", "utf-8")

    with pytest.raises(RulesInvalid) as refused:
        Rulebook.load(tmp_path)

    assert refused.value.detail == says
