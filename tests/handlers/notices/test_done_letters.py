"""A provider's id stays known as that of a letter that is done, also when its end is told.

A later letter with the same words may be of doubtful end: the provider, asked for it, shows
the earlier one first, and without this it would be taken for sent.
"""

import pytest
from sqlmodel import select

from handlers.conversation import clean_chat
from handlers.notices import statuses
from handlers.notices.statuses import News
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters import sent
from storage.letters.letter import Letter
from storage.models import Departed, Inbox
from storage.words import Channel, LetterKind
from tests.support.desk import Desk, desk


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def leaves(here: Desk, channel: Channel, provider_id: str, *, final: bool) -> None:
    letter = Letter(LetterKind.REPLY, channel, "+6281", "Terima kasih.")
    here.store(outbox.put, letter, now=here.now)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, channel, limit=1, now=here.now)
    assert here.act(clean_chat.sent, held, provider_id=provider_id, final=final)


def is_known(here: Desk, channel: Channel, provider_id: str) -> bool:
    with here.database.reading() as session:
        return sent.knows(session, here.keys, channel, provider_id)


@pytest.mark.both_stores
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_a_letter_that_arrived_stays_known(here: Desk, channel: Channel) -> None:
    leaves(here, channel, "SM1", final=False)
    assert is_known(here, channel, "SM1")
    assert here.act(statuses.apply, News(channel, "SM1", 5, final=True))
    with here.database.reading() as session:
        assert session.exec(select(Departed)).all() == []
    assert is_known(here, channel, "SM1")
    assert not is_known(here, channel, "SM2")


def test_a_letter_whose_end_was_known_at_once_stays_known(here: Desk) -> None:
    leaves(here, Channel.SMS, "SM1", final=True)
    assert is_known(here, Channel.SMS, "SM1")


def test_nothing_is_remembered_where_nobody_can_be_asked(here: Desk) -> None:
    leaves(here, Channel.TELEGRAM, "7", final=True)
    with here.database.reading() as session:
        assert session.exec(select(Inbox)).all() == []
