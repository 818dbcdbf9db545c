"""Lives as data: the table as shipped, what it refuses, and no day too early or too late."""

import copy
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import telegram
from handlers.conversation import memory
from handlers.errors import RulesInvalid
from handlers.rules import lifetimes
from handlers.rules.lifetimes import FIXED, Facts, Lifetimes, Unit
from handlers.rules.rulebook import Rulebook, read_rules
from handlers.rules.rulefile import checked
from storage.cases import cases
from storage.jobs import jobs
from storage.letters import letter
from storage.people import invitations, sessions
from storage.words import Erased, Status
from tests.support.lasting import last_kept
from tests.support.places import ROOT

BOOK = Rulebook.load()
TABLE = BOOK.lifetimes
DATA = read_rules("retention.toml", None, "id")
SPANS = {Unit.MINUTES: "minutes", Unit.HOURS: "hours", Unit.DAYS: "days"}
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


def span(name: str) -> timedelta:
    length, unit = FIXED[name]
    return timedelta(**{SPANS[unit]: length})


def test_what_the_program_keeps_itself_is_what_the_table_says():
    assert span("drafts") == memory.DRAFT_LIFE
    assert span("conversations") == memory.TALK_LIFE
    assert span("traces") == timedelta(hours=telegram.LIMITS.delete_hours)
    assert span("letters") == max(letter.LIVES.values())
    assert span("jobs") == jobs.LIFE
    assert span("sessions") == sessions.LONGEST
    assert span("invitations") == invitations.LIFE
    for name, (length, unit) in FIXED.items():
        assert (TABLE.rules[name].length, TABLE.rules[name].unit) == (length, unit)


def test_the_deadlines_of_the_law_are_these_lives():
    for rule, name in (("D32", "identities"), ("D33", "rejected")):
        deadline, life = BOOK.deadlines.rules[rule], TABLE.rules[name]
        assert (deadline.length, deadline.unit) == (life.length, life.unit.value)


def test_a_case_ends_where_the_queue_says_so():
    assert {status for status in Status if not cases.is_open(status)} == set(
        lifetimes.ENDED
    )


def test_every_rule_says_what_why_and_from_when():
    for rule in TABLE.rules.values():
        assert rule.what
        assert rule.source[0] in "VUP"
        assert rule.hold == bool(rule.erases - {Erased.CONTACT})


WRONG = {
    "drafts: is fixed at 24 H": ("drafts", {"length": 48}),
    "drafts: fixed cannot": ("drafts", {"fixed": False}),
    "inbox: fixed cannot": ("inbox", {"fixed": True}),
    "inbox: is counted in CD": ("inbox", {"unit": "H"}),
    "inbox: is no rule for cases": ("inbox", {"erases": ["files"]}),
    "quarantine.length: must be greater than or equal to 0, not -1": (
        "quarantine",
        {"length": -1},
    ),
    "files.length: must be a whole number, not '5'": ("files", {"length": "5"}),
    "files.hold: must be true or false, not 'no'": ("files", {"hold": "no"}),
    "files: a rule for cases names erases": ("files", {"erases": []}),
    "files: a rule for cases is counted in": ("files", {"unit": "H"}),
    "files: counts from closed": ("files", {"since": "contents erased"}),
    "files: say what goes": ("files", {"source": ""}),
    "files.lenght: is not a known key": ("files", {"lenght": 5}),
    "REVIEW is no status": ("files", {"statuses": ["CLOSED", "MERGED", "REVIEW"]}),
    "nothing erases files after MERGED": ("files", {"statuses": ["CLOSED"]}),
    "contents after CLOSED has a rule in contents": (
        "files",
        {"erases": ["files", "contents"]},
    ),
    "receipts: a receipt has a rule of its own": (
        "receipts",
        {"erases": ["receipt", "files"]},
    ),
    "contents.statuses.0: must be .*, not 'CLOSE'": (
        "contents",
        {"statuses": ["CLOSE"]},
    ),
    "contents.length: is missing": ("contents", {"length": None}),
}


@pytest.mark.parametrize("says", WRONG)
def test_a_wrong_entry_is_named(says: str):
    name, change = WRONG[says]
    data = copy.deepcopy(DATA)
    data["rule"][name].update(change)
    data["rule"][name] = {k: v for k, v in data["rule"][name].items() if v is not None}
    with pytest.raises(RulesInvalid, match=says):
        checked(data, Lifetimes.model_validate, "retention.toml")


@pytest.mark.parametrize("name", [*FIXED, *sorted(lifetimes.DAILY)])
def test_what_the_program_needs_must_be_there(name: str):
    data = copy.deepcopy(DATA)
    del data["rule"][name]
    with pytest.raises(RulesInvalid, match=f"{name} is missing"):
        checked(data, Lifetimes.model_validate, "retention.toml")


def test_an_agency_may_keep_things_for_another_time(tmp_path):
    ours = ROOT / "handlers/rules/id/retention.toml"
    words = ours.read_text().replace(
        '30\nunit = "CD"\nsince = "closed"', '180\nunit = "CD"\nsince = "closed"'
    )
    (tmp_path / "retention.toml").write_text(words)
    own = Rulebook.load(tmp_path).lifetimes
    assert own.rules["contacts"].length == 180
    facts = Facts(Status.CLOSED, date(2026, 1, 1), None, hold=False)
    assert last_kept(own, facts, Erased.CONTACT) == date(2026, 6, 30)


FACTS = st.builds(
    Facts,
    st.sampled_from(sorted(Status)),
    st.none() | DAYS,
    st.none() | DAYS,
    st.booleans(),
)


@given(FACTS, DAYS)
def test_never_before_the_rule_and_always_after_it(facts: Facts, today: date):
    over = TABLE.over(facts, today)
    for what in Erased:
        last = last_kept(TABLE, facts, what)
        held = facts.hold and what is not Erased.CONTACT
        assert (what in over) == (last is not None and last < today and not held)
    if facts.status not in lifetimes.ENDED or facts.closed is None:
        assert over <= {Erased.RECEIPT}


OVER = st.builds(
    Facts, st.sampled_from(sorted(lifetimes.ENDED)), DAYS, DAYS, st.booleans()
)


@given(OVER, st.sampled_from(Erased), st.integers(-1, 2))
def test_the_day_itself_is_kept_and_the_next_is_not(facts, what, off):
    last = last_kept(TABLE, facts, what)
    if last is None or (facts.hold and what is not Erased.CONTACT):
        return
    assert (what in TABLE.over(facts, last + timedelta(days=off))) == (off > 0)


@given(st.sampled_from(sorted(TABLE.rules)), DAYS)
def test_the_latest_start_is_the_latest(name: str, today: date):
    rule = TABLE.rules[name]
    if not rule.erases:
        return
    start = lifetimes.latest_start(rule, today)
    assert lifetimes.last_day(rule, start) < today
    assert lifetimes.last_day(rule, start + timedelta(days=1)) >= today


def test_days_by_the_calendar():
    identities, rejected = TABLE.rules["identities"], TABLE.rules["rejected"]
    assert lifetimes.last_day(identities, date(2024, 2, 29)) == date(2025, 2, 28)
    assert lifetimes.last_day(rejected, date(2026, 1, 1)) == date(2026, 4, 1)
