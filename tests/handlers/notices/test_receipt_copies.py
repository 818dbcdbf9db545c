"""A receipt's copy at Twilio holds number and code: it goes in minutes, told or not."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from handlers.conversation import clean_chat
from handlers.notices import statuses
from handlers.notices.statuses import RECEIPT_LIES, News
from storage import outbox
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.models import Job
from storage.words import Channel, JobKind, LetterKind
from tests.support.desk import Desk, desk

SENT, DELIVERED = 4, 5


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def leaves(here: Desk, kind: LetterKind, channel: Channel) -> None:
    here.store(outbox.put, Letter(kind, channel, "+6281", "x"), now=here.now)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, channel, limit=1, now=here.now)
    is_told = channel is Channel.TELEGRAM
    assert here.act(clean_chat.sent, held, provider_id="SM1", final=is_told)


def erasures(here: Desk) -> list[datetime]:
    """Return when each erasure that is owed is due."""
    with here.database.reading() as session:
        rows = session.exec(select(Job).order_by(Job.due)).all()  # type: ignore[arg-type]
        known = jobs.waiting(session, here.keys, JobKind.ERASE)
        assert all(job["id"] == "SM1" for job in known)
        return [row.due for row in rows if row.kind == JobKind.ERASE]


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_a_receipt_whose_status_never_comes_goes_in_minutes(here: Desk, channel):
    leaves(here, LetterKind.RECEIPT, channel)
    assert erasures(here) == [here.now + RECEIPT_LIES]
    assert timedelta(minutes=10) > RECEIPT_LIES


def test_a_receipt_goes_as_soon_as_the_provider_says_sent(here: Desk):
    leaves(here, LetterKind.RECEIPT, Channel.SMS)
    news = News(Channel.SMS, "SM1", SENT, final=False, left=True)
    assert here.act(statuses.apply, news)
    assert erasures(here) == [here.now]
    assert here.act(statuses.apply, News(Channel.SMS, "SM1", DELIVERED, final=True))
    assert erasures(here) == [here.now]


def test_it_is_no_reason_while_it_only_waits_there(here: Desk):
    leaves(here, LetterKind.RECEIPT, Channel.SMS)
    assert here.act(statuses.apply, News(Channel.SMS, "SM1", 2, final=False))
    assert erasures(here) == [here.now + RECEIPT_LIES]


def test_another_letter_waits_for_its_end(here: Desk):
    leaves(here, LetterKind.REPLY, Channel.SMS)
    assert erasures(here) == []
    sent = News(Channel.SMS, "SM1", SENT, final=False, left=True)
    assert here.act(statuses.apply, sent)
    assert erasures(here) == []
    assert here.act(statuses.apply, News(Channel.SMS, "SM1", DELIVERED, final=True))
    assert erasures(here) == [here.now]


def test_telegram_keeps_no_copy_of_ours(here: Desk):
    leaves(here, LetterKind.RECEIPT, Channel.TELEGRAM)
    assert erasures(here) == []
