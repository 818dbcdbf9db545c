"""Echoes of machines, in memory, with the time told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.messages import Incoming, Kind
from handlers.throttle import (
    CALM,
    ECHO_QUIET,
    SAME_WORDS,
    SHORT_WORDS,
    Echoes,
)
from storage.words import Channel
from tests.conftest import NOW
from tests.handlers.notices.test_reporters import QUESTION, asks
from tests.support.desk import desk

HOLIDAY = "Saya sedang cuti sampai hari Senin."
NAME = b"n" * 32


@pytest.fixture
def here(database, keys):
    return desk(database, keys)


def hears(echoes, text, number, now, name=NAME, **more):
    kind = more.pop("kind", Kind.TEXT)
    channel = more.pop("channel", Channel.SMS)
    incoming = Incoming(channel, "+62", f"SM{number}", now, kind, text=text)
    return echoes.hears(incoming, name, now)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (HOLIDAY, SAME_WORDS),
        ("Saya sedang CUTI sampai hari {n}, Senin", SAME_WORDS),
        ("ok {n}", SHORT_WORDS),
    ],
)
def test_the_same_words_are_heard_so_often(now, text, most):
    echoes = Echoes()
    heard = [
        hears(echoes, text.replace("{n}", str(n)), n, now) for n in range(most + 5)
    ]
    assert heard == [False] * most + [True] * 5


def test_other_words_and_other_people_are_heard_meanwhile(now):
    echoes = Echoes()
    for number in range(20):
        hears(echoes, HOLIDAY, number, now)
    assert not hears(echoes, "Saya kembali dan ingin melapor sesuatu", 30, now)
    assert not hears(echoes, HOLIDAY, 31, now, name=b"m" * 32)


def test_after_a_quiet_while_the_same_words_are_heard_again(now):
    echoes = Echoes()
    heard = []
    for number in range(20):
        now += ECHO_QUIET / 2
        heard.append(hears(echoes, HOLIDAY, number, now))
    assert heard[-1], "a machine that goes on is not heard every ten minutes"
    assert not hears(echoes, HOLIDAY, 30, now + ECHO_QUIET)


@pytest.mark.parametrize("kind", [Kind.MEDIA, Kind.PRESS, Kind.LOCATION])
def test_what_is_no_text_is_no_echo(now, kind):
    echoes = Echoes()
    assert not any(hears(echoes, HOLIDAY, n, now, kind=kind) for n in range(60))


def test_numbers_and_the_canary_are_no_echo(now):
    echoes = Echoes()
    assert not any(hears(echoes, "1", n, now) for n in range(60))
    canary = Channel.CANARY
    assert not any(hears(echoes, HOLIDAY, n, now, channel=canary) for n in range(60))


@given(st.lists(st.integers(0, 5), max_size=60))
def test_a_message_that_is_taken_twice_counts_once(ids):
    echoes, moment, seen = Echoes(), NOW, set()
    for number in ids:
        echo = hears(echoes, HOLIDAY, number, moment)
        seen.add(number)
        assert echo == (len(seen) > SAME_WORDS)


@pytest.mark.both_stores
def test_lines_that_differ_in_their_numbers_are_all_kept(here):
    for line in ("LAPOR", "ya", "ya", "ya", *["lewat"] * 5):
        here.say("+628120002", line, channel=Channel.SMS)
    for month in range(1, 13):
        line = f"Potongan bulan {month} sebesar {month}00 ribu"
        here.say("+628120002", line, channel=Channel.SMS)
    for line in ("selesai", *["lewat"] * 9, "KIRIM"):
        here.say("+628120002", line, channel=Channel.SMS)
    slip = here.receipt("+628120002", Channel.SMS)
    items = here.reads(here.case(slip.number))
    kept = "\n".join(item.content.text for item in items if item.content)
    assert all(f"bulan {month} sebesar" in kept for month in range(1, 13))


def test_a_code_is_answered_however_often_it_comes(here):
    _, slip = here.reports("+628120003", channel=Channel.SMS)
    for _ in range(SAME_WORDS + 3):
        here.say("+628120003", f"STATUS {slip}", channel=Channel.SMS)
        assert here.delivers(Channel.SMS)


def test_an_echo_is_not_answered(here):
    here.say("+628120001", "LAPOR", channel=Channel.SMS)
    for _ in range(12):
        here.say("+628120001", HOLIDAY, channel=Channel.SMS)
    before = here.delivers(Channel.SMS)
    assert before
    here.say("+628120001", HOLIDAY, channel=Channel.SMS)
    assert here.delivers(Channel.SMS) == []
    here.say("+628120001", "BANTUAN", channel=Channel.SMS)
    assert here.delivers(Channel.SMS), "the person is answered as ever"


def test_the_same_words_to_one_question_after_the_other_are_answered(here):
    for line in ("LAPOR", "ya", "ya", "ya", *["lewat"] * 5):
        here.say("+628120004", line, channel=Channel.SMS)
    for _ in range(SAME_WORDS + 2):
        here.delivers(Channel.SMS)
        here.say("+628120004", HOLIDAY, channel=Channel.SMS)
    assert here.delivers(Channel.SMS) == [], "it answers no other question"
    here.say("+628120004", "selesai", channel=Channel.SMS)
    here.delivers(Channel.SMS)
    here.say("+628120004", HOLIDAY, channel=Channel.SMS)
    assert here.delivers(Channel.SMS), "the next question is asked"


def test_what_was_marked_as_read_leaves_however_fast_somebody_writes(here):
    case, slip = here.reports("+628120005", channel=Channel.SMS)
    asks(here, case)
    here.delivers(Channel.SMS)
    for number in range(CALM + 2):
        here.say("+628120005", f"{number}", channel=Channel.SMS)
    here.delivers(Channel.SMS)
    here.say("+628120005", f"BACA {slip}", channel=Channel.SMS)
    assert any(QUESTION in letter.text for letter in here.delivers(Channel.SMS))
