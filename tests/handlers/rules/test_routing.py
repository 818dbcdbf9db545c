"""Where reports go: a table of cases, and promises that hold for any routes."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import NoDefaultRoute, TooManyEntryUnits
from handlers.rules import routing
from handlers.rules.routing import Decision, Lead, Route, entry_units
from storage.words import Group, PositionClass, Track, Urgency


def route(answers: Mapping[str, str], routes: Sequence[Route]) -> Decision:
    """Decide by a reporter's answers alone."""
    return routing.route(Lead(answers), routes)


ALL = Route(None, None, None, "all")
CORRUPTION = Route(Group.COR, None, None, "corruption")
JAMBI = Route(None, "15", None, "jambi")
JAMBI_CORRUPTION = Route(Group.COR, "15", None, "jambi corruption")
HEADS = Route(None, None, PositionClass.KDH, "national")
HEADS_JAMBI = Route(None, "15", PositionClass.KDH, "ministry")
OURS = Route(None, None, PositionClass.INS, "above us")
LEADERS = Route(None, None, PositionClass.JPT, "leaders")
HOUSE = (ALL, CORRUPTION, JAMBI, JAMBI_CORRUPTION, HEADS, OURS, LEADERS)

UNITS = {
    "nothing known": ({}, "all"),
    "by group": ({"Q06": "COR-02"}, "corruption"),
    "by province": ({"Q06": "SVC-01", "Q07": "15"}, "jambi"),
    "narrowest": ({"Q06": "COR-09", "Q07": "15"}, "jambi corruption"),
    "by position": ({"Q09": "JPT"}, "leaders"),
    "regional head": ({"Q09": "KDH"}, "national"),
    "conflict beats narrow": ({"Q06": "COR", "Q07": "15", "Q09": "KDH"}, "national"),
    "one of our own people": (
        {"Q06": "COR-02", "Q07": "15", "Q09": "INS"},
        "above us",
    ),
    "other position is no conflict": (
        {"Q06": "COR", "Q07": "15", "Q09": "JPT"},
        "jambi corruption",
    ),
    "elsewhere": ({"Q07": "31"}, "all"),
}


@pytest.mark.parametrize(("answers", "unit"), UNITS.values(), ids=UNITS)
def test_the_right_unit_gets_it(answers: dict[str, str], unit: str) -> None:
    assert route(answers, HOUSE).unit == unit
    assert route(answers, HOUSE[::-1]).unit == unit


def test_the_narrowest_route_for_regional_heads_wins() -> None:
    answers = {"Q07": "15", "Q09": "KDH"}

    assert route(answers, (*HOUSE, HEADS_JAMBI)).unit == "ministry"


def test_without_a_route_for_regional_heads_the_others_decide() -> None:
    answers = {"Q07": "15", "Q09": "KDH"}

    assert route(answers, (ALL, JAMBI)).unit == "jambi"


def test_a_case_says_nowhere_that_our_own_people_are_reported() -> None:
    assert route({"Q09": "INS"}, HOUSE).position is PositionClass.UNK
    assert route({"Q09": "INS"}, (ALL,)).position is PositionClass.UNK


def test_equally_narrow_routes_are_told_apart_by_priority_then_by_name() -> None:
    late = Route(Group.COR, None, None, "a", priority=2)
    soon = Route(Group.COR, None, None, "b", priority=1)
    also = Route(Group.COR, None, None, "c", priority=1)

    assert route({"Q06": "COR"}, (late, also, soon)).unit == "b"


URGENCIES = {
    "calm": ({"Q06": "COR-01", "Q18": "NONE"}, Urgency.NORMAL),
    "not asked": ({}, Urgency.NORMAL),
    "worried": ({"Q18": "WORRIED"}, Urgency.HIGH),
    "threatened": ({"Q18": "THREATENED"}, Urgency.URGENT),
    "retaliation": ({"Q06": "RET-02"}, Urgency.URGENT),
    "retaliation, worried": ({"Q06": "RET-02", "Q18": "WORRIED"}, Urgency.URGENT),
}


@pytest.mark.parametrize(("answers", "urgency"), URGENCIES.values(), ids=URGENCIES)
def test_danger_comes_first(answers: dict[str, str], urgency: Urgency) -> None:
    assert route(answers, HOUSE).urgency is urgency


@pytest.mark.parametrize("group", Group)
def test_the_track_follows_the_group(group: Group) -> None:
    corruption = group in {Group.COR, Group.PRC, Group.POS}

    found = route({"Q06": group}, HOUSE)

    assert found.group is group
    assert found.track is (Track.TPK if corruption else Track.NON_TPK)


def test_the_coarse_facts_are_handed_on() -> None:
    answers = {"Q06": "NEU-01E", "Q07": "15", "Q09": "ADM"}

    assert route(answers, HOUSE) == Decision(
        unit="jambi",
        group=Group.NEU,
        track=Track.NON_TPK,
        urgency=Urgency.NORMAL,
        province="15",
        position=PositionClass.ADM,
        subcategory="NEU-01E",
    )


@given(st.dictionaries(st.sampled_from(["Q06", "Q07", "Q09", "Q18"]), st.text()))
def test_free_text_never_comes_through(answers: dict[str, str]) -> None:
    found = route(answers, HOUSE)

    assert found.province == "" or (
        found.province.isascii() and len(found.province) == 2
    )
    assert found.subcategory == "" or len(found.subcategory) <= 7
    assert found.unit in {way.unit_id for way in HOUSE}


ways = st.builds(
    Route,
    st.none() | st.sampled_from(Group),
    st.none() | st.sampled_from(["15", "31"]),
    st.none() | st.sampled_from(PositionClass),
    st.sampled_from("abcdefgh"),
    st.integers(0, 3),
)


@given(
    st.lists(ways, max_size=12),
    st.sampled_from(Group),
    st.sampled_from(["", "15", "31", "32"]),
    st.sampled_from(PositionClass),
)
def test_a_fitting_unit_is_always_found_and_the_order_does_not_matter(
    more: list[Route], group: Group, province: str, position: PositionClass
) -> None:
    routes = [*more, ALL]
    answers = {"Q06": f"{group}-01", "Q07": province, "Q09": position}

    found = route(answers, routes)

    assert found == route(answers, routes[::-1])
    assert found.unit in {way.unit_id for way in routes}
    fitting = [way for way in routes if way.fits(group, province, position)]
    assert found.unit in {way.unit_id for way in fitting}
    if position is PositionClass.KDH:
        heads = {way.unit_id for way in fitting if way.position is position}
        assert not heads or found.unit in heads


def test_what_no_route_takes_is_refused() -> None:
    with pytest.raises(NoDefaultRoute, match="without conditions"):
        route({"Q06": "COR"}, (JAMBI,))


def test_entry_units_are_distinct_and_in_order() -> None:
    assert entry_units((HEADS, ALL, JAMBI, HEADS)) == ("national", "all", "jambi")


def test_a_house_without_a_default_route_takes_no_report() -> None:
    for routes in ((), (JAMBI, HEADS)):
        with pytest.raises(NoDefaultRoute):
            entry_units(routes)


def test_eight_entry_units_are_enough() -> None:
    routes = [Route(None, None, None, str(n)) for n in range(9)]

    assert len(entry_units(routes[:8])) == 8
    with pytest.raises(TooManyEntryUnits, match="9"):
        entry_units(routes)


@pytest.mark.parametrize("said", ["", "XYZ-01", "saya tidak tahu", "cor"])
def test_what_is_no_code_counts_as_unknown(said: str) -> None:
    found = route({"Q06": said, "Q07": said, "Q09": said}, HOUSE)

    assert (found.group, found.position) == (Group.OTH, PositionClass.UNK)
    assert found.province == ""


def test_words_make_a_report_of_corruption_or_urgent_whatever_was_chosen() -> None:
    answers = {"Q06": "SVC-01", "Q18": "NONE"}
    read = routing.route(Lead(answers, is_corruption=True, is_urgent=True), HOUSE)

    assert read.group is Group.SVC
    assert read.track is Track.TPK
    assert read.urgency is Urgency.URGENT
