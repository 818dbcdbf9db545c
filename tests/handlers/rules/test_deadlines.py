"""Deadlines: the law's check values, and promises that hold on any calendar."""

import copy
import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import RulesInvalid
from handlers.rules import deadlines
from handlers.rules.deadlines import Clock, Deadlines, Pause, Rule, Unit
from handlers.rules.rulebook import Rulebook, read_rules
from handlers.rules.rulefile import checked
from handlers.rules.workdays import Calendar, month_later
from storage.words import Group, Status, Track, Urgency

BOOK = Rulebook.load()
RULES = BOOK.deadlines.rules
ID = BOOK.calendar(range(2025, 2028))
PLAIN = Calendar(frozenset())
DAY = timedelta(days=1)
ACTIVE = {
    "D23",
    "D24",
    "D25",
    "D25A",
    "D03",
    "D05",
    "D06",
    "D07",
    "D08",
    "D10",
    "D12",
    "D14",
}

days = st.dates(date(2025, 1, 1), date(2027, 6, 30))
calendars = st.builds(
    Calendar,
    st.frozensets(days, max_size=40),
    st.frozensets(days, max_size=40),
    st.booleans(),
)
rules = st.sampled_from(
    [rule for rule in RULES.values() if rule.since != "half_year_end"]
)
pauses = st.builds(
    lambda begin, length: Pause(begin, begin + length * DAY), days, st.integers(0, 60)
)


def clock(**facts: Any) -> Clock:
    start = date(2026, 3, 17)
    return Clock(
        **{
            "status": Status.RECEIVED,
            "group": Group.COR,
            "track": Track.TPK,
            "urgency": Urgency.NORMAL,
            "submitted": start,
            "entered": start,
            "told": start,
            **facts,
        }
    )


DUE = {
    "the published check value": ("D03", date(2026, 3, 17), date(2026, 3, 27)),
    "from a weekend": ("D03", date(2026, 1, 31), date(2026, 2, 4)),
    "over New Year": ("D05", date(2025, 12, 30), date(2026, 1, 7)),
    "calendar days may end on a Sunday": ("D10", date(2026, 1, 2), date(2026, 2, 1)),
    "agreement of text B": ("D19", date(2020, 12, 21), date(2021, 2, 19)),
    "hours count as a day": ("D14", date(2026, 3, 20), date(2026, 3, 21)),
    "three days of hours": ("D22", date(2026, 3, 20), date(2026, 3, 23)),
    "months keep to the month": ("D11", date(2025, 11, 30), date(2026, 2, 28)),
    "six months": ("D26", date(2025, 8, 31), date(2026, 2, 28)),
    "years": ("D27", date(2024, 2, 29), date(2026, 2, 28)),
}


@pytest.mark.parametrize(("rule", "start", "expected"), DUE.values(), ids=DUE)
def test_deadlines_fall_where_the_rules_say(
    rule: str, start: date, expected: date
) -> None:
    assert deadlines.due(RULES[rule], start, ID) == expected


def test_joint_leave_is_a_setting() -> None:
    strict = BOOK.calendar([2026], joint_leave_off=False)

    assert deadlines.due(RULES["D03"], date(2026, 3, 17), strict) == date(2026, 3, 23)


def test_the_active_rules_are_those_this_version_watches() -> None:
    assert {name for name, rule in RULES.items() if rule.active} == ACTIVE
    assert len(RULES) == 33


@given(rules, days, calendars)
def test_never_due_before_the_start_nor_on_a_day_off(
    rule: Rule, start: date, calendar: Calendar
) -> None:
    last = deadlines.due(rule, start, calendar)

    assert last >= start
    if rule.unit is Unit.WORKING_DAYS:
        assert calendar.is_working(last)
        assert calendar.working_days(start, last) == rule.length


@given(rules, days, st.integers(0, 90), calendars)
def test_a_later_start_is_never_due_sooner(
    rule: Rule, start: date, later: int, calendar: Calendar
) -> None:
    assert deadlines.due(rule, start, calendar) <= deadlines.due(
        rule, start + later * DAY, calendar
    )


@given(rules, days, calendars, st.lists(pauses, max_size=4), pauses)
def test_a_pause_never_brings_a_deadline_forward(
    rule: Rule, start: date, calendar: Calendar, some: list[Pause], more: Pause
) -> None:
    assert deadlines.due(rule, start, calendar, some) <= deadlines.due(
        rule, start, calendar, [*some, more]
    )


@given(rules, days, calendars, st.lists(pauses, max_size=4))
def test_the_order_of_pauses_does_not_matter(
    rule: Rule, start: date, calendar: Calendar, some: list[Pause]
) -> None:
    assert deadlines.due(rule, start, calendar, some) == deadlines.due(
        rule, start, calendar, some[::-1]
    )


MONDAY = date(2026, 6, 1)
PAUSED = {
    "none": ([], date(2026, 6, 8)),
    "two working days": ([(1, 3)], date(2026, 6, 10)),
    "over a weekend counts no weekend": ([(3, 8)], date(2026, 6, 11)),
    "no length": ([(2, 2)], date(2026, 6, 8)),
    "two pauses": ([(1, 2), (3, 4)], date(2026, 6, 10)),
    "overlapping pauses count once": ([(1, 3), (2, 3)], date(2026, 6, 10)),
    "began before the start": ([(-7, 1)], date(2026, 6, 9)),
    "over before the start": ([(-7, -1)], date(2026, 6, 8)),
    "on the last day": ([(7, 9)], date(2026, 6, 10)),
    "too late to save it": ([(8, 20)], date(2026, 6, 8)),
    "saved by the one before": ([(3, 4), (8, 9)], date(2026, 6, 10)),
}


@pytest.mark.parametrize(("spans", "expected"), PAUSED.values(), ids=PAUSED)
def test_days_of_waiting_for_the_reporter_are_added(
    spans: list[tuple[int, int]], expected: date
) -> None:
    waits = [Pause(MONDAY + a * DAY, MONDAY + b * DAY) for a, b in spans]

    assert deadlines.due(RULES["D05"], MONDAY, PLAIN, waits) == expected


def test_calendar_days_are_paused_by_calendar_days_and_some_rules_never() -> None:
    wait = [Pause(MONDAY + 4 * DAY, MONDAY + 7 * DAY)]

    assert deadlines.due(RULES["D12"], MONDAY, PLAIN, wait) == MONDAY + 33 * DAY
    assert deadlines.due(RULES["D10"], MONDAY, PLAIN, wait) == MONDAY + 30 * DAY
    assert deadlines.due(RULES["D11"], MONDAY, PLAIN, wait) == date(2026, 9, 4)


def test_hours_are_exact_to_the_moment() -> None:
    moment = datetime(2026, 3, 17, 22, 15, tzinfo=UTC)

    assert deadlines.due_at(RULES["D14"], moment) == moment + timedelta(hours=24)
    with pytest.raises(ValueError, match="D03 is not counted in hours"):
        deadlines.due_at(RULES["D03"], moment)


def test_a_begun_day_of_hours_counts_as_a_day() -> None:
    rule = RULES["D14"].model_copy(update={"length": 50})

    assert deadlines.due(rule, MONDAY, PLAIN) == MONDAY + 3 * DAY


def ahead(rule: str, last: int, until: int) -> list[int]:
    found = deadlines.warnings(
        RULES[rule], MONDAY, MONDAY + last * DAY, PLAIN, MONDAY + until * DAY
    )
    return [(day - MONDAY).days for day in found]


def test_warnings_come_at_half_at_four_fifths_when_due_and_then_every_week() -> None:
    # 10 working days from a Monday: day 5, day 8, day 10; then every 5 working days
    assert ahead("D06", 14, 30) == [7, 10, 14, 21, 28]
    assert ahead("D03", 3, 9) == [2, 3]
    assert ahead("D12", 30, 30) == [15, 24, 30]
    assert ahead("D12", 30, 29) == [15, 24]


def test_a_rule_may_name_its_own_days() -> None:
    assert ahead("D10", 30, 37) == [10, 20, 30, 37]
    assert ahead("D10", 30, 36) == [10, 20, 30]
    assert ahead("D10", 15, 15) == [10, 15]
    assert ahead("D19", 60, 59) == [30, 45, 48, 55]


@given(rules, days, calendars, st.integers(0, 200))
def test_warnings_are_in_order_within_bounds_and_name_the_last_day(
    rule: Rule, start: date, calendar: Calendar, more: int
) -> None:
    last = deadlines.due(rule, start, calendar)
    until = last + more * DAY

    found = deadlines.warnings(rule, start, last, calendar, until)

    assert list(found) == sorted(set(found))
    assert all(start <= day <= until for day in found)
    assert last in found
    late = [day for day in found if day > last]
    assert all(calendar.is_working(day) for day in late)
    assert all(
        calendar.working_days(a, b) == 5 for a, b in itertools.pairwise([last, *late])
    )


def test_a_rule_without_repeats_is_quiet_once_due() -> None:
    data = copy.deepcopy(read_rules("deadlines.toml", None, "id"))
    data["defaults"]["overdue_every_wd"] = 0
    quiet = checked(data, Deadlines.model_validate, "deadlines.toml").rules["D03"]

    assert deadlines.warnings(quiet, MONDAY, MONDAY, PLAIN, MONDAY + 99 * DAY) == (
        MONDAY,
    )


PENDING = {
    "corruption": ({}, ["D03", "D12", "D08", "D07"]),
    "in danger": ({"urgency": Urgency.URGENT}, ["D14", "D03", "D12", "D08", "D07"]),
    "information": (
        {"group": Group.INF, "track": Track.NON_TPK},
        ["D03", "D05", "D12"],
    ),
    "service": ({"group": Group.SVC, "track": Track.NON_TPK}, ["D03", "D06", "D12"]),
    "under review": ({"status": Status.REVIEW}, ["D12", "D08", "D07"]),
    "investigation": ({"status": Status.INVESTIGATION}, ["D12", "D07"]),
    "waiting for the reporter": ({"status": Status.NEEDS_INFO}, ["D10", "D08", "D07"]),
    "follow-up": ({"status": Status.FOLLOW_UP}, ["D12"]),
    "closed": ({"status": Status.CLOSED}, []),
    "rejected": ({"status": Status.REJECTED}, []),
}


@pytest.mark.parametrize(("facts", "expected"), PENDING.values(), ids=PENDING)
def test_a_case_has_the_deadlines_of_its_kind_and_place(
    facts: dict[str, Any], expected: list[str]
) -> None:
    found = deadlines.pending(RULES, clock(**facts), ID)

    assert [one.rule.id for one in found] == expected
    assert [one.day for one in found] == sorted(one.day for one in found)


def test_each_deadline_counts_from_its_own_event() -> None:
    found = deadlines.pending(
        RULES,
        clock(
            status=Status.NEEDS_INFO,
            entered=date(2026, 4, 1),
            told=date(2026, 4, 2),
            pauses=[Pause(date(2026, 4, 1), date(2026, 4, 8))],
        ),
        ID,
    )
    by = {one.rule.id: one for one in found}

    assert by["D10"].start == date(2026, 4, 1)
    assert by["D10"].day == date(2026, 5, 1)
    assert by["D08"].start == date(2026, 3, 17)
    unpaused = deadlines.due(RULES["D08"], date(2026, 3, 17), ID)
    assert ID.working_days(unpaused, by["D08"].day) == 4  # 3 April is Good Friday
    told = clock(status=Status.REVIEW, told=date(2026, 4, 2))
    assert deadlines.pending(RULES, told, ID)[0].day == date(2026, 5, 2)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no length": (lambda row: row.pop("length"), "length"),
    "unknown unit": (lambda row: row.update(unit="weeks"), "weeks"),
    "unknown key": (lambda row: row.update(lenght=3), "lenght"),
    "unknown status": (lambda row: row.update(statuses=["LOST"]), "LOST"),
    "unknown urgency": (lambda row: row.update(urgencies=["SOON"]), "SOON"),
    "negative": (
        lambda row: row.update(length=-1),
        "must be greater than or equal to 0, not -1",
    ),
    "active on an unknown event": (lambda row: row.update(since="signed"), "signed"),
}


@pytest.mark.parametrize(("breaks", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_refused_by_name(
    breaks: Callable[[dict[str, Any]], object], named: str
) -> None:
    data = copy.deepcopy(read_rules("deadlines.toml", None, "id"))
    breaks(data["rule"]["D03"])

    with pytest.raises(RulesInvalid, match=rf"deadlines\.toml: rule\.D03.*{named}"):
        checked(data, Deadlines.model_validate, "deadlines.toml")


@given(days, st.integers(0, 40))
def test_months_go_by_the_calendar(start: date, count: int) -> None:
    later = month_later(start, count)

    assert (later.year - start.year) * 12 + later.month - start.month == count
    assert later.day == start.day or (later + DAY).day == 1
