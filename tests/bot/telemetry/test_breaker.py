"""When a channel stands still, with the time told."""

from hypothesis import given
from hypothesis import strategies as st

from bot.telemetry import breaker as rules
from bot.telemetry.breaker import Breaker, Cause


def away(breaker, now, times=1):
    return [breaker.away(now) for _ in range(times)][-1]


def test_a_provider_that_fails_now_and_then_is_not_away():
    breaker = Breaker()
    for now in range(20):
        assert breaker.away(now) == 0
        breaker.answered(now)
    assert breaker.rest(20) == 0


def test_failures_in_a_row_let_the_channel_rest_and_then_one_letter_shows():
    breaker = Breaker()
    assert away(breaker, 0, rules.FAILURES) == rules.FIRST_AWAY
    assert away(breaker, 0, 29) == 0, "what was under way says nothing new"
    assert breaker.rest(0.5) == rules.FIRST_AWAY - 0.5
    assert (breaker.rest(2), breaker.probing) == (0, True)
    assert breaker.away(2) == 2 * rules.FIRST_AWAY
    breaker.answered(6)
    assert (breaker.rest(6), breaker.probing) == (0, False)
    assert breaker.away(7) == 0


def test_the_rest_grows_to_its_longest():
    breaker, now = Breaker(), 0.0
    away(breaker, now, rules.FAILURES)
    for _ in range(12):
        now += breaker.rest(now)
        away(breaker, now)
    assert breaker.rest(now) == rules.LONGEST_AWAY


def test_one_chat_that_is_told_to_wait_waits_alone():
    breaker = Breaker()
    assert breaker.busy(b"a", 30, 0, wide=False) == 0
    breaker.answered(1)
    assert breaker.busy(b"b", 30, 2, wide=False) == 0
    assert breaker.busy(b"b", 30, 3, wide=False) == 0
    assert not breaker.probing


def test_two_chats_told_to_wait_with_nothing_between_are_the_whole_channel():
    breaker = Breaker()
    breaker.busy(b"a", 30, 0, wide=False)
    assert breaker.busy(b"b", 7, 0, wide=False) == 7
    breaker.busy(b"c", 9, 1, wide=False)
    assert breaker.rest(1) == 9, "the longest wish counts"
    breaker.answered(2)
    assert breaker.rest(2) == 8, "a rest that was asked for is kept"
    breaker.answered(10)
    assert (breaker.rest(10), breaker.probing) == (0, False)


def test_a_provider_that_names_no_time_is_left_alone_for_longer_each_time():
    breaker = Breaker()
    assert breaker.busy(b"a", None, 0, wide=True) == rules.FIRST_BUSY
    assert breaker.busy(b"a", None, 5, wide=True) == 2 * rules.FIRST_BUSY


@given(
    st.lists(
        st.tuples(
            st.floats(0, 50),
            st.sampled_from(["away", "busy", "wide", "refused", "answered"]),
            st.sampled_from([b"a", b"b"]),
        ),
        max_size=60,
    )
)
def test_no_rest_is_longer_than_the_longest_and_each_has_a_cause(acts):
    breaker, now = Breaker(), 0.0
    longest = max(rules.LONGEST_AWAY, rules.LONGEST_BUSY, rules.LONGEST_REFUSED)
    for gap, act, person in acts:
        now += gap
        match act:
            case "away":
                breaker.away(now)
            case "busy":
                breaker.busy(person, 3, now, wide=False)
            case "wide":
                breaker.busy(person, None, now, wide=True)
            case "refused":
                breaker.refused(now)
            case _:
                breaker.answered(now)
        assert breaker.rest(now) <= longest
        assert breaker.probing or not breaker.rest(now)
        assert breaker.cause in {None, *Cause}
