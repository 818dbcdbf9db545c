"""One pending notice for each person and case, however much happens while it waits."""

import pytest
from sqlmodel import select

from handlers.cases import officer as verbs
from handlers.cases import reporter
from storage import outbox
from storage.cases.items import Content
from storage.models import OutboxRow, Subscription
from storage.notices import subscriptions
from storage.people import telegram_links
from storage.words import Audience, Channel, ItemKind, LetterKind, Status
from tests.handlers.notices.test_reporters import HANDLES, asks, moves, notices, wanting
from tests.support.desk import Desk, desk
from tests.support.talking import texts

THIRTY = 30
TELEGRAM = Channel.TELEGRAM


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def neutral(case, channel: Channel = TELEGRAM, language: str = "id") -> str:
    return texts().say("Q24", language=language, channel=channel, case=case.number)


def waiting(here: Desk) -> int:
    with here.database.reading() as session:
        return len(session.exec(select(OutboxRow)).all())


def tries(here: Desk, channel: Channel, *, doubtful: bool = False) -> int:
    """Let the provider be away: everything that may be claimed is put back."""
    with here.database.writing() as session:
        held = outbox.claim(session, here.keys, channel, limit=99, now=here.now)
        for one in held:
            outbox.later(session, one, due=here.now, doubtful=doubtful)
    return len(held)


@pytest.mark.parametrize("doubtful", [False, True])
@pytest.mark.parametrize("channel", list(HANDLES))
def test_thirty_steps_while_the_provider_is_away_are_one_neutral_notice(
    here: Desk, channel: Channel, *, doubtful: bool
):
    case, _ = wanting(here, channel, "1")
    for number in range(THIRTY):
        asks(here, case, f"Pertanyaan {number}")
        assert tries(here, channel, doubtful=doubtful) == 1
        here.later(minutes=10)
    assert waiting(here) == 1
    (told,) = notices(here, channel)
    assert told.text == neutral(case, channel)
    assert (told.template, told.case) == ("news", case.report.hex())


@pytest.mark.parametrize("channel", list(HANDLES))
def test_words_that_were_asked_for_wait_together_as_long_as_they_fit(
    here: Desk, channel: Channel
):
    case, slip = wanting(here, channel, "2")
    words = [f"Pertanyaan nomor {number}: {'x' * 400}" for number in range(THIRTY)]
    for one in words:
        asks(here, case, one)
    (told,) = notices(here, channel)
    inside = [one for one in words if one in told.text]
    assert inside == words[: len(inside)]
    assert len(inside) >= 2
    assert told.text.endswith(neutral(case, channel)), "that there is more is said"
    assert told.text.count(case.number) == 2, "the line above the words is said once"
    assert len(told.text) <= here.office.text_limits[channel]
    here.say(HANDLES[channel], f"BACA {slip}", channel=channel)
    said = "\n".join(one.text for one in here.delivers(channel))
    assert all(one in said for one in words), "no word is lost"


def test_a_long_text_and_then_more_are_its_parts_and_one_line(here: Desk):
    case, _ = wanting(here, TELEGRAM, "2")
    asks(here, case, "a" * 9000)
    before = waiting(here)
    for number in range(THIRTY):
        asks(here, case, f"Pertanyaan {number}: {'x' * 2000}")
    told = notices(here, TELEGRAM)
    assert len(told) == before
    assert [one.template for one in told] == ["news", *[""] * (before - 1)]
    assert told[-1].text.endswith(neutral(case))


def test_words_never_wait_longer_than_promised_and_news_is_not_lost(here: Desk):
    case, _ = wanting(here, TELEGRAM, "2")
    asks(here, case, "Kata rahasia")
    here.later(hours=20)
    asks(here, case, "Kata kedua")
    with here.database.reading() as session:
        (row,) = session.exec(select(OutboxRow)).all()
    assert (row.expires - here.now).total_seconds() < 28 * 3600
    here.later(hours=10)
    asks(here, case, "Kata ketiga")
    with here.database.reading() as session:
        (row,) = session.exec(select(OutboxRow)).all()
    assert (row.expires - here.now).total_seconds() > 46 * 3600
    (told,) = notices(here, TELEGRAM)
    assert told.text == neutral(case)


@pytest.mark.both_stores
def test_what_is_being_sent_is_left_alone_and_one_more_waits(here: Desk):
    case, _ = wanting(here, TELEGRAM, "1")
    asks(here, case)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, TELEGRAM, limit=9, now=here.now)
    for _ in range(THIRTY):
        asks(here, case)
    assert waiting(here) == 2
    with here.database.writing() as session:
        assert outbox.sent(
            session, here.keys, held, provider_id="1", final=True, now=here.now
        )
    assert [one.text for one in notices(here, TELEGRAM)] == [neutral(case)]


def test_what_may_have_gone_out_is_not_taken_for_the_newer_news(here: Desk):
    case, _ = wanting(here, TELEGRAM, "1")
    asks(here, case)
    tries(here, TELEGRAM, doubtful=True)
    asks(here, case)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, TELEGRAM, limit=9, now=here.now)
    assert not held.doubtful, "a lost answer told of the older news"


@pytest.mark.both_stores
def test_three_cases_are_three_notices(here: Desk):
    cases = [wanting(here, TELEGRAM, "1")[0] for _ in range(3)]
    for _ in range(3):
        for case in cases:
            asks(here, case)
    told = notices(here, TELEGRAM)
    assert [one.case for one in told] == [case.report.hex() for case in cases]


def test_another_contact_and_news_are_one_letter(here: Desk):
    case, slip = wanting(here, TELEGRAM, "1")
    here.say("777", f"KABAR NETRAL {slip}")
    asks(here, case)
    asks(here, case)
    told = [one for one in notices(here, TELEGRAM) if one.to == "555"]
    (also,) = told
    assert also.text.count("\n\n") == 1
    assert also.text.endswith(neutral(case))
    assert "Kontak lain" in also.text


@pytest.mark.both_stores
def test_who_wants_no_words_any_more_gets_none_that_waited(here: Desk):
    case, slip = wanting(here, TELEGRAM, "2")
    asks(here, case, "Kata rahasia " * 700)
    here.say("555", f"KABAR NETRAL {slip}")
    (told,) = notices(here, TELEGRAM)
    assert told.text == neutral(case)


@pytest.mark.both_stores
def test_one_person_under_two_names_is_told_once(here: Desk):
    channel, number = Channel.WHATSAPP, "whatsapp:+62811"
    case, slip = wanting(here, channel, "1")
    scoped = {"channel": channel, "aliases": (number,)}
    here.say("whatsapp:ID.45", f"KABAR NETRAL {slip}", **scoped)
    here.delivers(channel)
    asks(here, case)
    assert [one.to for one in notices(here, channel)] == ["whatsapp:ID.45"]


def test_thirty_additions_while_telegram_is_away_are_one_alert(here: Desk):
    officer = here.house.supervisor.officer
    with here.database.writing() as session:
        token = telegram_links.issue(session, here.keys, officer.id, now=here.now)
    here.say("9000", f"/start {token}")
    case, slip = here.reports("555")
    here.delivers()
    for number in range(THIRTY):
        here.say("555", f"TAMBAH {slip}")
        here.say("555", f"Tambahan {number}")
        here.later(minutes=20)
    moves(here, case, Status.VERIFICATION)
    told = [one for one in here.delivers() if one.kind is LetterKind.ALERT]
    assert len(told) == 1
    for _ in range(3):
        here.act(
            reporter.add,
            case.report,
            [(Content(kind=ItemKind.ADDITION, text="lagi"), Audience.CASE)],
            vault=None,
        )
        here.act(verbs.record_reading, case.report, by=officer)
    assert len([one for one in here.delivers() if one.to == "9000"]) == 1


def test_stop_takes_back_what_waits(here: Desk):
    case, _ = wanting(here, TELEGRAM, "2")
    for _ in range(3):
        asks(here, case)
    here.say("555", "stop!")
    assert notices(here, TELEGRAM) == []
    with here.database.reading() as session:
        assert session.exec(select(Subscription)).all() == []
        assert subscriptions.of_case(session, here.keys, case.report) == []
