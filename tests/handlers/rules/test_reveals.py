"""Why two people may open something: the agency's table, read and checked."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.errors import RulesInvalid
from handlers.rules.reveals import RevealRules
from handlers.rules.rulebook import Rulebook, read_rules
from handlers.rules.rulefile import checked
from storage.words import RevealOf, RevealState


def table() -> dict[str, Any]:
    return read_rules("reveal.toml", None, "id")


def test_what_we_ship():
    rules = Rulebook.load().reveal
    assert rules.life == {
        RevealState.ASKED: timedelta(hours=72),
        RevealState.GRANTED: timedelta(days=7),
        RevealState.REFUSED: timedelta(days=7),
    }
    identity = [one.code for one in rules.reasons_for(RevealOf.IDENTITY)]
    original = [one.code for one in rules.reasons_for(RevealOf.ORIGINAL)]
    assert identity == ["PROTECT", "CONTACT", "LEGAL", "AWARD"]
    assert original == ["LEGAL", "CHAIN", "EXAMINE"]
    assert [one.code for one in rules.reasons.values() if one.consent] == ["AWARD"]


def test_every_ground_has_a_name_in_both_languages_that_an_sms_takes():
    rules = Rulebook.load().reveal
    for grounds in (rules.reasons, rules.refusals, rules.untold):
        for one in grounds.values():
            assert set(one.names) == {"id", "en"}, one.code
            assert all(0 < len(name) <= 60 for name in one.names.values()), one.code
            assert one.name("fr") in one.names.values()


def test_no_code_stands_for_two_things():
    rules = Rulebook.load().reveal
    codes = [*rules.reasons, *rules.refusals, *rules.untold]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"life": {"asked": 0, "granted": 1, "refused": 1}}, "life.asked"),
        ({"life": {"asked": 1, "granted": "1", "refused": 1}}, "life.granted"),
        ({"life": {"asked": 1, "granted": 1000, "refused": 1}}, "life.granted"),
        ({"life": {"asked": 1, "granted": 1}}, "life: refused is missing"),
        ({"reason": {}}, "reason: must not be empty"),
        ({"untold": {}}, "untold: must not be empty"),
        ({"reason": {"X": {"for": ["everything"], "id": "a"}}}, "X.for.*everything"),
        ({"reason": {"X": {"for": [], "id": "a"}}}, "X.for: must not be empty"),
        ({"reason": {"X": {"for": ["identity"]}}}, "X: has no name"),
        ({"reason": {"X:Y": {"id": "a"}}}, "X:Y"),
        (
            {"reason": {"X": {"id": "a", "consnt": True}}},
            "X.consnt: is not a known key",
        ),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_name(change: dict[str, Any], named: str):
    with pytest.raises(RulesInvalid, match=named):
        checked(table() | change, RevealRules.model_validate, "reveal.toml")
