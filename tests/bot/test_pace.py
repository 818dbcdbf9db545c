"""Token buckets, with the time told."""

from bot.channels import sms, telegram
from bot.pace import PEOPLE, Bucket, Pace


def test_a_bucket_lets_a_burst_through_and_then_keeps_the_rate():
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.take(0) for _ in range(5)] == [0, 0, 0, 0.5, 1]
    assert bucket.take(1) == 0.5


def test_a_bucket_fills_up_to_its_burst():
    bucket = Bucket(rate=2, burst=2)
    assert [bucket.take(0) for _ in range(3)] == [0, 0, 0.5]
    assert [bucket.take(100) for _ in range(3)] == [0, 0, 0.5]


def test_a_clock_that_goes_back_gives_nothing():
    bucket = Bucket(rate=1, burst=1)
    assert bucket.take(10) == 0
    assert bucket.take(5) == 1


def test_telegram_hears_thirty_a_second():
    pace = Pace(telegram.LIMITS)
    waits = [pace.take(bytes([n]), 0) for n in range(66)]
    assert waits[:6] == [0] * 6
    assert waits[-1] == 2


def test_one_person_gets_one_a_second_after_a_burst():
    pace = Pace(telegram.LIMITS)
    assert [pace.take(b"a", 0) for _ in range(5)] == [0, 0, 0, 1, 2]
    assert pace.take(b"b", 0) == 0


def test_a_group_gets_twenty_a_minute():
    pace = Pace(telegram.LIMITS)
    waits = [pace.take(b"g", 0, group=True) for _ in range(5)]
    assert waits == [0, 0, 0, 3, 6]


def test_where_there_are_no_groups_a_group_is_a_person():
    pace = Pace(sms.Sms.limits)
    assert [pace.take(b"g", 0, group=True) for _ in range(3)] == [0, 1, 2]


def test_the_pace_forgets_those_it_has_not_seen_for_long():
    pace = Pace(telegram.LIMITS)
    for number in range(PEOPLE + 1):
        pace.take(number.to_bytes(4, "big"), number)
    after = [pace.take((0).to_bytes(4, "big"), 1_000_000) for _ in range(3)]
    assert after == [0, 0, 0]
