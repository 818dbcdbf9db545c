"""A flood from one contact is one case; the same words again are not sent again."""

from dataclasses import replace

import pytest
from sqlmodel import select

from handlers.cases.receipts import Opening
from handlers.conversation import flood
from handlers.inbox import receive as taken
from handlers.messages import Proof
from handlers.throttle import JOINED_FROM, Floods
from storage.models import Case, Draft, Job, OutboxRow
from storage.words import Channel, JobKind
from tests.support.desk import Desk, desk, text

SMS = {"channel": Channel.SMS}
PHONE, MANY = "+6281200000001", 20
URGENT = "LAPOR Tolong, saya diancam dibunuh oleh lurah karena menolak membayar"


@pytest.fixture
def here(database, keys) -> Desk:
    made = desk(database, keys)
    made.office = replace(made.office, floods=Floods())
    return made


def story(number: int) -> str:
    return f"LAPOR Lurah minta uang {number} juta untuk tanda tangan surat tanah"


def count(here: Desk, table: type) -> int:
    with here.database.reading() as session:
        return len(session.exec(select(table)).all())


def answers(here: Desk, to: str = PHONE) -> list[str]:
    return [one.text for one in here.delivers(Channel.SMS) if one.to == to]


def due(here: Desk) -> int:
    return here.act(flood.send_due)


@pytest.mark.both_stores
def test_a_flood_is_four_cases(here):
    for number in range(MANY):
        here.say(PHONE, story(number), **SMS)
        here.later(seconds=5)
    assert (count(here, Case), count(here, Draft)) == (JOINED_FROM - 1, 1)
    told = answers(here)
    assert len(told) == JOINED_FROM
    assert "digabung" in told[-1]
    here.later(minutes=14)
    assert due(here) == 0
    here.later(minutes=1)
    assert due(here) == 1
    assert due(here) == 0
    assert (count(here, Case), count(here, Draft)) == (JOINED_FROM, 0)
    with here.database.reading() as session:
        jobs = session.exec(select(Job)).all()
    assert [job.kind for job in jobs].count(JobKind.RECEIPT) == JOINED_FROM
    assert JobKind.SEND not in {job.kind for job in jobs}
    slip = here.receipt(PHONE, Channel.SMS)
    items = [one.content.text for one in here.reads(here.case(slip.number))]
    for number in range(JOINED_FROM - 1, MANY):
        assert sum(f"uang {number} juta" in one for one in items) == 1


def test_another_contact_is_not_meant(here):
    for number in range(JOINED_FROM):
        here.say(f"+62812{number:08}", story(number), **SMS)
    assert count(here, Case) == JOINED_FROM


def test_an_hour_later_it_is_a_report_like_any(here):
    for number in range(JOINED_FROM - 1):
        here.say(PHONE, story(number), **SMS)
    here.later(hours=1)
    here.say(PHONE, story(9), **SMS)
    assert (count(here, Case), count(here, Draft)) == (JOINED_FROM, 0)


def joined(here: Desk, words: str = "") -> None:
    """Send so much that the last one waits in a draft."""
    for number in range(JOINED_FROM - 1):
        here.say(PHONE, story(number), **SMS)
    here.say(PHONE, words or story(77), **SMS)
    assert (count(here, Case), count(here, Draft)) == (JOINED_FROM - 1, 1)


def test_each_message_puts_it_off_but_not_for_ever(here):
    joined(here)
    for number in range(5):
        here.later(minutes=14)
        assert due(here) == (number == 4), "an hour is the longest"
        here.say(PHONE, f"Tambahan keterangan yang ke-{number}", **SMS)
    assert count(here, Case) == JOINED_FROM


def test_what_is_urgent_waits_for_the_next_look_alone(here):
    joined(here, URGENT)
    assert due(here) == 1
    assert count(here, Case) == JOINED_FROM
    with here.database.reading() as session:
        assert 0 in {case.urgency for case in session.exec(select(Case))}


@pytest.mark.parametrize(("word", "cases"), [("KIRIM", JOINED_FROM), ("BATAL", 3)])
def test_who_sends_or_deletes_it_leaves_nothing_to_wait_for(here, word, cases):
    joined(here)
    here.say(PHONE, word, **SMS)
    assert (count(here, Case), count(here, Draft)) == (cases, 0)
    here.later(minutes=16)
    assert due(here) == 1
    assert count(here, Case) == cases


def test_the_same_words_are_answered_without_a_number_and_not_sent(here):
    here.say(PHONE, story(1), **SMS)
    slip = here.receipt(PHONE, Channel.SMS)
    here.say(PHONE, story(1).lower().replace(" ", "  "), **SMS)
    (told,) = answers(here)
    assert "sudah kami terima" in told
    assert slip.number not in told
    assert (count(here, Case), count(here, Draft)) == (1, 1)
    here.later(minutes=20)
    assert due(here) == 0
    here.say(PHONE, "KIRIM", **SMS)
    assert (count(here, Case), count(here, Draft)) == (2, 0)
    again = here.receipt(PHONE, Channel.SMS)
    (kept,) = [
        one.content.text
        for one in here.reads(here.case(again.number))
        if one.content.step == "Q10"
    ]
    assert kept.split()[3:5] == ["1", "juta"]


def test_the_same_words_of_somebody_else_are_a_report(here):
    here.say(PHONE, story(1), **SMS)
    here.say("+6281299999999", story(1), **SMS)
    assert count(here, Case) == 2


@pytest.mark.both_stores
def test_what_failed_counts_for_nothing(here):
    """Who heard nothing and writes again must not hear that it was received."""

    def fails(work):
        taken(work, text(story(1), handle=PHONE, **SMS), Opening(Proof.NONE))
        raise RuntimeError

    for _ in range(JOINED_FROM):
        with pytest.raises(RuntimeError):
            here.act(fails)
    here.say(PHONE, story(1), **SMS)
    assert count(here, Case) == 1


def test_the_same_words_twice_in_one_transaction_are_known(here):
    """A batch of the writer's is one commit."""
    with here.database.writing() as session:
        for _ in range(2):
            incoming = text(story(1), handle=PHONE, **SMS)
            taken(here.work(session), incoming, Opening(Proof.NONE))
    assert (count(here, Case), count(here, Draft)) == (1, 1)


@pytest.mark.both_stores
def test_nothing_in_the_store_ties_the_draft_to_the_contact_in_clear(here):
    joined(here)
    with here.database.reading() as session:
        draft = session.exec(select(Draft)).one()
        (job,) = [
            one for one in session.exec(select(Job)) if one.kind == JobKind.SEND.value
        ]
        rows = session.exec(select(OutboxRow)).all()
    raw = b"".join([job.id, job.blob, *(row.blob for row in rows)])
    assert draft.report not in raw
    assert PHONE.encode() not in raw
