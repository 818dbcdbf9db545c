"""The table of corrections: what is milder, what goes above us, what one code brings along."""

from collections.abc import Container
from typing import Any

import pytest

from handlers.errors import CodeUnknown, RulesInvalid
from handlers.rules.classification import FIELDS, Classification
from handlers.rules.rulebook import Rulebook, read_rules
from handlers.rules.rulefile import checked
from storage.words import Group, PositionClass

BOOK = Rulebook.load()
TABLE = BOOK.classification
KNOWN: dict[str, Container[str]] = {
    "category": BOOK.categories,
    "further": BOOK.categories,
    "post": BOOK.positions,
    "employment": {"", *TABLE.employment},
    "acting": {"", *TABLE.acting},
    "track": TABLE.order.track,
    "urgency": TABLE.order.urgency,
    "sp4n": {"", *TABLE.sp4n},
    "province": {"", *BOOK.provinces.names},
    "regency": {"", *BOOK.regencies.names},
}
NOW = {
    **dict.fromkeys(FIELDS, ""),
    "category": "OTH",
    "track": "NON_TPK",
    "urgency": "NORMAL",
    "province": "33",
    "regency": "33.01",
}
LOWERED = {
    "urgent to high": ("urgency", "URGENT", "HIGH", True),
    "high to normal": ("urgency", "HIGH", "NORMAL", True),
    "normal to high": ("urgency", "NORMAL", "HIGH", False),
    "corruption to none": ("track", "TPK", "NON_TPK", True),
    "to corruption": ("track", "NON_TPK", "TPK", False),
    "a head to anybody": ("position", "KDH", "ADM", True),
    "our own to unknown": ("position", "INS", "UNK", True),
    "a head to our own": ("position", "KDH", "INS", False),
    "anybody to a head": ("position", "ADM", "KDH", False),
    "senior to junior": ("position", "JPT", "FUN", False),
    "a field without an order": ("sp4n", "SUPERVISORY", "INFO", False),
}


@pytest.mark.parametrize("case", LOWERED)
def test_what_is_milder(case: str):
    field, old, new, milder = LOWERED[case]
    assert TABLE.lowers(field, old, new) is milder


@pytest.mark.parametrize("old", PositionClass)
@pytest.mark.parametrize("new", PositionClass)
def test_only_a_head_and_our_own_are_left_above(old: PositionClass, new: PositionClass):
    expected = old in {"KDH", "INS"} and new != old
    assert TABLE.leaves_above(old, new) is expected


@pytest.mark.parametrize("group", Group)
def test_a_group_brings_the_stricter_code_and_never_a_milder_one(group: Group):
    is_corruption = group in {"COR", "PRC", "POS"}
    assert TABLE.brought(group, "track", "NON_TPK") == (
        "TPK" if is_corruption else "NON_TPK"
    )
    assert TABLE.brought(group, "track", "TPK") == "TPK"
    assert TABLE.brought(group, "urgency", "HIGH") == (
        "URGENT" if group == "RET" else "HIGH"
    )


COMPLETED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "a category brings its track": (
        {"category": "COR-02"},
        {"category": "COR-02", "track": "TPK"},
    ),
    "retaliation brings urgency": (
        {"category": "RET-01"},
        {"category": "RET-01", "urgency": "URGENT"},
    ),
    "what the officer chose stands": (
        {"category": "RET-01", "urgency": "HIGH"},
        {"category": "RET-01", "urgency": "HIGH"},
    ),
    "the main one is no further one": (
        {"category": "SVC-01", "further": "SVC-01 DIS-03 DIS-03"},
        {"category": "SVC-01", "further": "DIS-03"},
    ),
    "a regency brings its province": (
        {"regency": "11.71"},
        {"regency": "11.71", "province": "11"},
    ),
    "another province leaves the regency": (
        {"province": "11"},
        {"province": "11", "regency": ""},
    ),
    "no regency, the same province": ({"regency": ""}, {"regency": ""}),
}


@pytest.mark.parametrize("case", COMPLETED)
def test_one_code_brings_another(case: str):
    sent, changed = COMPLETED[case]
    assert TABLE.complete(NOW, sent, KNOWN) == {**NOW, **changed}


REFUSED = {
    "a bare group": ("category", {"category": "COR"}),
    "no category": ("category", {"category": ""}),
    "an unknown one": ("further", {"further": "SVC-01 COR-99"}),
    "four further ones": ("further", {"further": "SVC-01 SVC-02 SVC-03 SVC-04"}),
    "no post again": ("post", {"post": "X"}),
    "a class for a post": ("post", {"post": "JPT"}),
    "no track": ("track", {"track": ""}),
    "another urgency": ("urgency", {"urgency": "0"}),
    "a regency of elsewhere": ("regency", {"province": "12", "regency": "11.71"}),
    "a regency without province": ("regency", {"province": "", "regency": "11.71"}),
    "an unknown regency": ("regency", {"regency": "11.99"}),
    "text": ("sp4n", {"sp4n": "please"}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_code_that_stands_in_no_list_is_refused_by_its_field(case: str):
    field, sent = REFUSED[case]
    with pytest.raises(CodeUnknown) as refused:
        TABLE.complete(NOW, sent, KNOWN)
    assert refused.value.detail == field


def _broken(table: dict[str, Any], where: str, value: object) -> dict[str, Any]:
    section, key = where.split(".")
    return {**table, section: {**table[section], key: value}}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("order.urgency", ["URGENT", "NORMAL"]),
        ("order.track", ["TPK", "NON_TPK", "TPK"]),
        ("above.positions", ["BOSS"]),
        ("sp4n.OTHER", {"en": "Other"}),
    ],
)
def test_a_wrong_table_is_refused_by_name(where: str, value: object):
    table = read_rules("classification.toml", None, "id")
    assert checked(table, Classification.model_validate).order.track[0] == "TPK"
    with pytest.raises(RulesInvalid, match=where):
        checked(
            _broken(table, where, value),
            Classification.model_validate,
            "classification.toml",
        )
