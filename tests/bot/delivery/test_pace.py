"""Token buckets, with the time told: never more than a provider states, in any span."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import limits
from bot.delivery.pace import PEOPLE, RECOVERY, SLOWEST, Bucket, Pace

GAPS = st.lists(
    st.tuples(
        st.floats(0, 3), st.integers(0, 3), st.integers(1, 4), st.sampled_from("abc")
    ),
    max_size=60,
)
SLACK = 1e-3


def goes(pace, person, now, cost=1, *, group=False):
    """Wait, as a line does, until this may leave; return when it left."""
    while True:
        wait = max(pace.wait(cost, now), pace.wait_for(person, cost, now, group=group))
        if not wait:
            pace.take(now, cost, person, cost, group=group)
            return now
        now += wait


def most_within(left, span):
    """Return the most that left within any half-open span: (when, how much) in order."""
    return max(
        (
            sum(cost for at, cost in left if start <= at < start + span - SLACK)
            for start, _ in left
        ),
        default=0,
    )


def test_a_bucket_lets_a_burst_through_and_then_keeps_the_rate():
    bucket = Bucket(rate=2, burst=3)
    for _ in range(3):
        assert bucket.wait(1, 0) == 0
        bucket.take(1, 0)
    assert bucket.wait(1, 0) == 0.5
    bucket.take(1, 0.5)
    assert bucket.wait(1, 0.75) == 0.25


def test_a_bucket_fills_up_to_its_burst():
    bucket = Bucket(rate=2, burst=2)
    bucket.take(2, 0)
    assert bucket.wait(2, 100) == 0
    bucket.take(2, 100)
    assert bucket.wait(1, 100) == 0.5


def test_a_clock_that_goes_back_gives_nothing():
    bucket = Bucket(rate=1, burst=1)
    bucket.take(1, 10)
    assert bucket.wait(1, 5) == 1


def test_what_costs_more_than_the_burst_is_paid_for_afterwards():
    bucket = Bucket(rate=1, burst=1)
    assert bucket.wait(3, 0) == 0
    bucket.take(3, 0)
    assert bucket.wait(1, 0) == 3


@given(GAPS)
def test_a_bucket_never_gives_more_than_burst_and_rate(acts):
    bucket, now, left = Bucket(rate=2, burst=4), 0.0, []
    for gap, _, cost, _ in acts:
        now = max(now, now + gap)
        while wait := bucket.wait(cost, now):
            now += wait
        bucket.take(cost, now)
        left.append((now, cost))
    for first, (start, _) in enumerate(left):
        for at, _ in left[first:]:
            total = sum(cost for when, cost in left if start <= when <= at)
            assert total <= 4 + 2 * (at - start) + SLACK


@pytest.mark.parametrize(
    ("stated", "most", "span"),
    [
        (limits.TELEGRAM, 30, 1),
        (limits.WHATSAPP, 80, 1),
        (replace(limits.SMS, per_second=3), 3, 1),
        (replace(limits.SMS, per_second=100), 100, 1),
    ],
    ids=["telegram", "whatsapp", "toll-free", "short code"],
)
def test_no_second_holds_more_than_the_provider_states(stated, most, span):
    pace, now, left = Pace(stated), 0.0, []
    for number in range(6 * most):
        now = goes(pace, number.to_bytes(4, "big"), now)
        left.append((now, 1))
    assert most_within(left, span) <= most
    assert len(left) / now > 0.6 * most, "and not much less either"


@given(GAPS)
def test_no_chat_gets_more_than_a_burst_and_one_a_second(acts):
    pace, now, left = Pace(limits.TELEGRAM), 0.0, {}
    for gap, _, _, name in acts:
        now = goes(pace, name.encode(), now + gap)
        left.setdefault(name, []).append((now, 1))
    for times in left.values():
        for span in (1, 5, 20):
            assert most_within(times, span) <= limits.TELEGRAM.chat_burst + span


def test_a_group_gets_twenty_in_any_minute():
    pace, now, left = Pace(limits.TELEGRAM), 0.0, []
    for _ in range(60):
        now = goes(pace, b"g", now, group=True)
        left.append((now, 1))
    assert most_within(left, 60) <= 20
    assert 170 < now < 240


def test_where_there_are_no_groups_a_group_is_a_person():
    pace = Pace(limits.SMS)
    pace.take(0, 3, b"g", 3, group=True)
    assert pace.wait_for(b"g", 1, 0, group=True) == 1


@given(st.lists(st.integers(1, 11), min_size=1, max_size=40))
def test_a_long_code_sends_one_segment_a_second(texts):
    pace, now, left = Pace(limits.SMS), 0.0, []
    for number, segments in enumerate(texts):
        now = goes(pace, bytes([number]), now, segments)
        left.append((now, segments))
    for first, (start, _) in enumerate(left):
        for last, (at, biggest) in enumerate(left[first:], first):
            total = sum(cost for _, cost in left[first : last + 1])
            assert total <= at - start + biggest + SLACK


def test_a_pace_that_was_too_fast_halves_and_comes_back():
    pace = Pace(limits.TELEGRAM)
    full = pace.rate
    pace.slow_down()
    assert pace.rate == full / 2
    for _ in range(9):
        pace.slow_down()
    assert pace.rate == full / SLOWEST
    for _ in range(RECOVERY):
        pace.went_well()
    assert pace.rate == full


def test_the_pace_forgets_those_it_has_not_seen_for_long():
    pace = Pace(limits.TELEGRAM)
    for number in range(PEOPLE + 1):
        pace.take(0, 1, number.to_bytes(4, "big"), 9)
    assert pace.wait_for((0).to_bytes(4, "big"), 1, 0) == 0
    assert pace.wait_for((1).to_bytes(4, "big"), 1, 0) == 0
    assert pace.wait_for((PEOPLE).to_bytes(4, "big"), 1, 0) > 0
