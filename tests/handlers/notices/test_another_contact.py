"""Whoever has news of a case hears that another contact asked for it too."""

import pytest

from handlers.lengths import ONE_SEGMENT, septets
from storage.letters.letter import Letter
from storage.notices import subscriptions
from storage.words import Channel, LetterKind
from tests.handlers.notices.test_reporters import HANDLES, wanting
from tests.support.desk import Desk, desk


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def also(here: Desk, channel: Channel, words: str = "Kontak lain") -> list[Letter]:
    gone = here.delivers(channel)
    return [one for one in gone if one.kind is LetterKind.NOTICE and words in one.text]


def subscribes(
    here: Desk, slip: object, handle: str, channel: Channel, kind: str = "NETRAL"
) -> None:
    here.say(handle, f"KABAR {kind} {slip}", channel=channel)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("channel", list(HANDLES))
def test_the_first_contact_hears_of_a_second_one(
    here: Desk, channel: Channel, language: str
):
    case, slip = wanting(here, channel, "2", language)
    words = {"id": "Kontak lain", "en": "Another contact"}[language]
    subscribes(here, slip, "777", Channel.TELEGRAM)
    (letter,) = also(here, channel, words)
    assert letter.to == HANDLES[channel]
    assert case.number in letter.text
    assert "777" not in letter.text
    assert letter.case == case.report.hex()
    assert (septets(letter.text) or 999) <= ONE_SEGMENT
    with here.database.reading() as session:
        assert len(subscriptions.of_case(session, here.keys, case.report)) == 2


@pytest.mark.both_stores
def test_who_changes_the_kind_or_comes_back_alone_tells_nobody(here: Desk):
    channel = Channel.TELEGRAM
    _, slip = wanting(here, channel, "1")
    subscribes(here, slip, HANDLES[channel], channel, "ISI")
    assert also(here, channel) == [], "the same handle is no other contact"
    subscribes(here, slip, "777", channel)
    assert [one.to for one in also(here, channel)] == [HANDLES[channel]]
    subscribes(here, slip, "777", channel, "ISI")
    assert also(here, channel) == [], "a change of kind is no new contact"


def test_who_has_no_news_any_more_is_told_nothing(here: Desk):
    channel = Channel.TELEGRAM
    _, slip = wanting(here, channel, "1")
    here.say(HANDLES[channel], "STOP")
    subscribes(here, slip, "777", channel)
    assert also(here, channel) == []
