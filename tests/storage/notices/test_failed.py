"""Letters that failed: kept for a person, sent again once, gone at their end or before."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlmodel import Session, col, select

from bot.delivery.outcomes import Written
from handlers.cases import reporter
from handlers.people import leaving
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.jobs import backlog
from storage.letters.letter import LIVES, Letter, expiry
from storage.models import Case, OutboxRow
from storage.notices import failed, subscriptions
from storage.notices.subscribers import Subscriber
from storage.outbox import LEASE
from storage.people import telegram_links
from storage.rekeying import server_key
from storage.words import Channel, LetterKind, Wanted
from tests.support.desk import STORY, Desk, desk, office_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SMS = Channel.SMS
KEPT = (LetterKind.REPLY, LetterKind.RECEIPT, LetterKind.NOTICE, LetterKind.ALERT)


class Post:
    """An outbox and hands on it."""

    def __init__(self, database, keys) -> None:
        self.database, self.keys, self.now = database, keys, NOW
        self.ends = Written(office_of(keys))

    def put(self, text="satu", to="1", kind=LetterKind.REPLY, **more) -> None:
        letter = Letter(kind, more.pop("channel", SMS), to, text, **more)
        with self.database.writing() as session:
            outbox.put(session, self.keys, letter, now=self.now)

    def claim(self, channel=SMS) -> list[outbox.Claimed]:
        with self.database.writing() as session:
            return outbox.claim(session, self.keys, channel, limit=9, now=self.now)

    def fails(self, reason="twilio.21408", channel=SMS) -> bool:
        (one,) = self.claim(channel)
        with self.database.writing() as session:
            return self.ends.failed(session, one, reason=reason, now=self.now)

    def retry(self, **which) -> list[str]:
        with self.database.writing() as session:
            return failed.retry(session, now=self.now, **which)

    def listed(self) -> list[failed.DeadLetter]:
        with self.database.reading() as session:
            return failed.listed(session, now=self.now, limit=100)

    def rows(self) -> list[OutboxRow]:
        with self.database.reading() as session:
            return list(session.exec(select(OutboxRow).order_by(col(OutboxRow.id))))


@pytest.fixture
def post(database, keys) -> Post:
    return Post(database, keys)


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def _marked(session: Session) -> int:
    """Let everything that waits have failed."""
    rows = session.exec(select(OutboxRow)).all()
    for row in rows:
        row.failed = "telegram.400"
        session.add(row)
    return len(rows)


def _all_fail(here: Desk) -> None:
    with here.database.writing() as session:
        assert _marked(session)


def _failed(here: Desk) -> list[Letter]:
    with here.database.reading() as session:
        rows = session.exec(select(OutboxRow).where(col(OutboxRow.failed).is_not(None)))
        letters = [outbox.letter_of(here.keys, row) for row in rows.all()]
    return [letter for letter in letters if letter is not None]


@pytest.mark.parametrize("kind", KEPT)
def test_a_letter_that_failed_stays_and_tells_little(post, kind):
    post.put("rahasia", to="+628123", kind=kind)
    post.now += timedelta(minutes=7, seconds=3)
    assert post.fails()
    (letter,) = post.listed()
    assert letter.reason == "twilio.21408"
    assert letter.since == NOW.replace(minute=0), "an hour, no minute"
    assert (letter.attempts, letter.expires) == (1, expiry(kind, NOW))
    told = LetterKind.REPLY if kind is LetterKind.RECEIPT else kind
    assert letter.kind is told
    (row,) = post.rows()
    shown = repr(row.model_dump())
    assert "rahasia" not in shown
    assert "+628123" not in shown
    assert row.lease_token is None
    assert post.claim() == []


def test_a_receipt_that_failed_looks_like_any_answer(post):
    post.put(kind=LetterKind.REPLY, to="1")
    assert post.fails()
    post.put(kind=LetterKind.RECEIPT, to="2")
    assert post.fails()
    answer, receipt = post.listed()
    shown = ("channel", "kind", "reason", "since", "attempts", "expires")
    for name in shown:
        assert getattr(answer, name) == getattr(receipt, name)


@pytest.mark.parametrize("kind", [LetterKind.ACK, LetterKind.DELETE])
def test_what_nobody_would_try_again_is_not_kept(post, kind):
    post.put(kind=kind, press_id="p", message_ids=(1,))
    assert post.fails()
    assert post.rows() == []


def test_it_holds_back_nobody_and_is_nowhere_waiting(post):
    post.put("satu")
    post.put("dua")
    assert post.fails()
    with post.database.reading() as session:
        assert outbox.next_due(session, SMS) is not None, "the next of this person"
    (second,) = post.claim()
    assert second.letter.text == "dua"
    with post.database.writing() as session:
        assert outbox.dead(session, second)
        assert outbox.next_due(session, SMS) is None
        later = post.now + timedelta(hours=2)
        assert backlog.letters(session, now=later).count == 0
        assert backlog.failed_letters(session, now=post.now) == 0, "not of this hour"
        assert backlog.failed_letters(session, now=later) == 1


def test_sent_again_it_is_due_as_it_was_and_goes_before_what_came_later(post):
    post.put("satu")
    assert post.fails()
    post.put("dua")
    ends = post.rows()[0].expires
    assert post.retry() == ["twilio.21408"]
    assert post.retry() == [], "pressing twice sends once"
    (first,) = post.claim()
    assert (first.letter.text, first.attempts, first.doubtful) == ("satu", 1, False)
    assert first.expires == ends
    assert post.claim() == [], "the later one waits for it, as ever"


def test_doubt_stays_so_that_the_provider_is_asked_first(post):
    post.put("satu")
    (one,) = post.claim()
    with post.database.writing() as session:
        assert outbox.later(session, one, due=post.now, doubtful=True)
    assert post.fails()
    assert post.retry()
    assert [one.doubtful for one in post.claim()] == [True]


def test_by_reason_or_one_by_one(post):
    for to, reason in (("1", "a"), ("2", "b"), ("3", "a"), ("4", "a")):
        post.put(to=to)
        assert post.fails(reason)
    with post.database.reading() as session:
        assert failed.counts(session, now=post.now) == {"a": 3, "b": 1}
    first = post.listed()[0].id
    assert post.retry(only=[first], reason="b") == []
    assert post.retry(only=[first]) == ["a"]
    with post.database.writing() as session:
        assert failed.drop(session, reason="a") == ["a", "a"]
    assert [one.reason for one in post.listed()] == ["b"]
    assert len(post.rows()) == 2, "what was tried again is no dead letter any more"
    assert post.retry() == ["b"]


def test_after_its_end_it_cannot_be_tried(post):
    post.put()
    assert post.fails()
    post.now = post.rows()[0].expires
    assert post.listed() == []
    assert post.retry() == []
    with post.database.writing() as session:
        assert outbox.drop_expired(session, now=post.now + timedelta(seconds=1)) == 1


def test_what_failed_after_its_end_is_not_kept(post):
    post.put()
    (one,) = post.claim()
    with post.database.writing() as session:
        assert failed.keep(session, one, "x", now=one.expires)
    assert post.rows() == []


def test_nothing_lives_longer_for_it():
    assert all(LIVES[kind] <= timedelta(hours=48) for kind in KEPT)
    assert LIVES[LetterKind.RECEIPT] == timedelta(hours=24)


def test_who_lost_the_lease_marks_nothing(post):
    post.put()
    (old,) = post.claim()
    post.now += LEASE + timedelta(seconds=1)
    assert len(post.claim()) == 1
    with post.database.writing() as session:
        assert not failed.keep(session, old, "x", now=post.now)
    assert [row.failed for row in post.rows()] == [None]


def test_two_who_press_at_once_send_once(post):
    for to in range(6):
        post.put(to=str(to))
        assert post.fails()
    start, taken = Barrier(2), []

    def press() -> None:
        start.wait()
        taken.extend(post.retry())

    both = [Thread(target=press) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(taken) == 6


def test_a_new_server_key_takes_it_along(here):
    here.store(
        outbox.put, Letter(LetterKind.REPLY, SMS, "555", "rahasia"), now=here.now
    )
    _all_fail(here)
    ring = here.keys.with_new()
    server_key.run(here.database, ring, now=here.now, day=here.now.date())
    newest = ServerKeys({ring.newest: ring.ring[ring.newest]})
    with here.database.writing() as session:
        assert failed.retry(session, now=here.now) == ["telegram.400"]
        (one,) = outbox.claim(session, newest, SMS, limit=9, now=here.now)
    assert one.letter.text == "rahasia"


def _subscribed(here: Desk, handle="555"):
    case, slip = here.reports(handle)
    wish = Subscriber(Channel.TELEGRAM, handle, "id", 0, Wanted.NEUTRAL)
    here.store(subscriptions.add, case.report, wish)
    return case, slip


def test_whoever_stops_is_sent_nothing_that_failed(here):
    _subscribed(here)
    here.say("555", "BANTUAN")
    here.say("777", "BANTUAN")
    _all_fail(here)
    here.say("555", "STOP")
    assert {letter.to for letter in _failed(here)} == {"777"}


def test_whoever_cannot_be_reached_is_sent_nothing_that_failed(here):
    here.say("555", "BANTUAN")
    _all_fail(here)
    here.store(
        outbox.put, Letter(LetterKind.REPLY, Channel.TELEGRAM, "555", "x"), now=here.now
    )
    with here.database.writing() as session:
        (one,) = outbox.claim(
            session, here.keys, Channel.TELEGRAM, limit=9, now=here.now
        )
        ends = Written(here.office)
        assert ends.unreachable(session, one, reason="telegram.403", now=here.now)
    assert _failed(here) == []


@pytest.mark.parametrize("verb", [reporter.withdraw, reporter.erase])
def test_a_receipt_of_a_case_that_ends_goes_without_any_wish_for_notices(here, verb):
    here.say("555", STORY)
    here.say("777", STORY.replace("dinas", "desa"))
    here.makes_receipts()
    _all_fail(here)
    receipts = [one for one in _failed(here) if one.kind is LetterKind.RECEIPT]
    assert {one.to for one in receipts} == {"555", "777"}
    with here.database.reading() as session:
        cases = session.exec(select(Case)).all()
    (mine,) = [
        case
        for case in cases
        if any(case.number in one.text for one in receipts if one.to == "555")
    ]
    here.act(verb, mine.report)
    left = [one.to for one in _failed(here) if one.kind is LetterKind.RECEIPT]
    assert left == ["777"]


def test_who_withdraws_in_a_chat_gets_nothing_that_failed_there(here):
    _, slip = here.reports("555")
    here.say("555", "BANTUAN")
    _all_fail(here)
    here.orders("555", "TARIK", slip)
    assert [one for one in _failed(here) if one.to == "555"] == []


def test_whose_chat_is_cleaned_gets_nothing_that_failed_there(here):
    here.say("555", "BANTUAN")
    _all_fail(here)
    here.say("555", "BERSIHKAN")
    here.say("555", "YA")
    assert [one for one in _failed(here) if one.to == "555"] == []


def test_an_officer_who_leaves_gets_no_alert_that_failed(here):
    who = here.house.supervisor
    token = here.store(telegram_links.issue, who.officer.id, now=here.now)
    here.store(telegram_links.redeem, token, Channel.TELEGRAM, "9001", now=here.now)
    here.reports("555")
    here.say("555", STORY.replace("dinas", "desa"))
    _all_fail(here)
    assert [one.to for one in _failed(here) if one.kind is LetterKind.ALERT] == ["9001"]
    here.act(leaving.end, who.officer.id, by=None, knowing=True)
    assert [one for one in _failed(here) if one.to == "9001"] == []
