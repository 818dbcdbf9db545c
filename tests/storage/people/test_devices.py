"""A browser's mark: its own place, no name, no second place, no way to make one."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.crypto.server_key import ServerKeys
from storage.people import devices

KEYS = ServerKeys.new()
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def mark(cookie: str, login: str, keys: ServerKeys = KEYS, now: datetime = NOW) -> str:
    return devices.mark(keys, cookie, login, now=now)


def known(
    cookie: str, login: str, keys: ServerKeys = KEYS, now: datetime = NOW
) -> bytes:
    return devices.known(keys, cookie, login, now=now)


def test_a_browser_is_known_for_whoever_signed_in_there_and_for_nobody_else():
    cookie = mark("", "siti")
    assert len(known(cookie, "siti")) == 16
    assert known(cookie, "budi") == b""
    assert known(cookie, "siti", ServerKeys.new()) == b""
    assert known(mark("", "siti"), "siti") != known(cookie, "siti")


def test_signing_in_again_gives_no_second_place():
    cookie = mark("", "siti")
    again = mark(cookie, "siti")
    assert again != cookie
    assert known(again, "siti") == known(cookie, "siti")
    assert "." not in again


def test_colleagues_who_share_a_browser_keep_their_places():
    cookie = ""
    for number in range(devices.MOST):
        cookie = mark(cookie, f"officer{number}")
    names = [known(cookie, f"officer{number}") for number in range(devices.MOST)]
    assert len(set(names)) == devices.MOST
    assert b"" not in names
    cookie = mark(cookie, "one-more")
    assert known(cookie, "officer0") == b""
    assert known(cookie, "officer1") == names[1]
    assert len(cookie) <= devices.LONGEST


def test_it_names_nobody():
    short, long = mark("", "a"), mark("", "a-very-long-login-of-an-officer")
    assert len(short) == len(long)
    raw = base64.urlsafe_b64decode(long + "==")
    assert b"login" not in raw
    assert not set(mark("", "a")[16:].split(".")) & set(short.split("."))


def test_it_ends():
    cookie = mark("", "siti")
    late = NOW + devices.LASTS
    assert known(cookie, "siti", now=late - timedelta(seconds=1))
    assert known(cookie, "siti", now=late) == b""
    renewed = mark(cookie, "siti", now=late - timedelta(days=1))
    assert known(renewed, "siti", now=late) == known(cookie, "siti")
    assert known(mark(cookie, "siti", now=late), "siti", now=late) != known(
        cookie, "siti"
    )


def test_it_outlives_a_new_server_key_for_as_long_as_the_old_one_is_there():
    cookie = mark("", "siti")
    wider = KEYS.with_new()
    assert known(cookie, "siti", wider) == known(cookie, "siti")
    assert known(cookie, "siti", wider.without(1)) == b""


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_cookie_of_a_stranger_is_a_mark_or_a_fault(cookie: str):
    assert known(cookie, "siti") == b""
    assert known(mark(cookie, "siti"), "siti")


@pytest.mark.parametrize("at", range(0, 77, 7))
def test_a_changed_mark_is_none(at: int):
    cookie = mark("", "siti")
    other = "A" if cookie[at] != "A" else "B"
    assert known(cookie[:at] + other + cookie[at + 1 :], "siti") == b""
