"""Whoever has two addresses hears everything at one of them, in its order."""

import pytest

from storage.words import Channel
from tests.support.desk import desk, text

pytestmark = pytest.mark.both_stores


@pytest.fixture
def here(database, keys):
    return desk(database, keys)


def test_what_was_fetched_late_is_answered_at_the_address_that_is_known(here):
    """A provider's list names a person by the number alone; letters keep their order."""
    scoped, number = "whatsapp:ID.4451", "whatsapp:+6281200004451"
    person = {"channel": Channel.WHATSAPP, "received": here.now}
    here.take(text("LAPOR", handle=scoped, aliases=(number,), **person))
    late = {"recovered": True, **person}
    here.take(text("Camat minta uang", handle=number, **late))
    here.take(text("ya", handle=scoped, aliases=(number,), **person))
    letters = here.delivers(Channel.WHATSAPP)
    assert len(letters) > 3
    assert {one.to for one in letters} == {scoped}


def test_what_was_fetched_late_from_a_stranger_is_answered_where_it_came_from(here):
    number = "whatsapp:+6281200004452"
    here.take(text("LAPOR", handle=number, channel=Channel.WHATSAPP, recovered=True))
    assert {one.to for one in here.delivers(Channel.WHATSAPP)} == {number}
