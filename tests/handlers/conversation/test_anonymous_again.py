"""Who gave a name and wants to be anonymous after all: the name goes at once."""

import pytest
from sqlmodel import select

from handlers.messages import Kind
from storage.cases import items
from storage.models import Draft
from tests.support.desk import Desk, desk

NAMED = ("LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA", "Sari, 0812, sore saja")


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def has_name(here: Desk) -> bool:
    with here.database.reading() as session:
        report = session.exec(select(Draft.report)).one()
        return items.has_identity(session, report)


def says(here: Desk, *lines: str) -> list[str]:
    for words in lines:
        here.later(seconds=2)
        here.say("555", words)
    return [letter.text for letter in here.delivers()]


def test_going_back_to_anonymous_deletes_the_name_at_once(here: Desk):
    says(here, *NAMED)
    assert has_name(here)
    says(here, "SUAP", "UBAH", "NAMA")
    assert has_name(here), "not before the choice is made"
    says(here, "ANONIM")
    assert not has_name(here)


def test_changing_the_mind_twice_asks_for_the_name_anew(here: Desk):
    says(here, *NAMED, "SUAP", "UBAH", "NAMA", "ANONIM", "UBAH", "NAMA")
    heard = says(here, "RAHASIA")
    assert "Tulis nama Anda" in heard[-1]
    says(here, "Sari, lewat email")
    assert has_name(here)


def test_a_correction_of_a_name_that_is_gone_is_not_kept(here: Desk):
    says(here, *NAMED[:-1])
    here.say("555", NAMED[-1], message_id=41)
    says(here, "SUAP", "UBAH", "NAMA", "ANONIM")
    here.say("555", "Sari Lestari", kind=Kind.EDIT, message_id=41)
    assert "tidak bisa disimpan" in here.delivers()[-1].text
    assert not has_name(here)


@pytest.mark.both_stores
def test_a_name_that_a_press_overtook_is_not_kept_either(here: Desk):
    """ANON is pressed after the name was written, and arrives before it."""
    steps = enumerate(NAMED[:-1], start=1)
    for order, words in steps:
        here.say("555", words, order=order)
    here.delivers()
    with here.database.reading() as session:
        assert session.exec(select(Draft)).all() == []
    data = _button(here, "Q05.ANON")
    here.say("555", "", kind=Kind.PRESS, press=data, order=9)
    here.say("555", NAMED[-1], order=8)
    here.say("555", "Kantor camat", order=10)
    assert not has_name(here)


def _button(here: Desk, ending: str) -> str:
    for letter in reversed(here.letters):
        for _, data in letter.buttons:
            if data.endswith(ending):
                return data
    raise AssertionError(ending)
