"""News by wish: none, a neutral line, or the words themselves; and what stays of them."""

import json
import secrets

import pytest
from sqlmodel import select

from handlers.cases import officer
from handlers.lengths import ONE_SEGMENT, septets
from handlers.notices import reporters, statuses
from handlers.notices.statuses import News
from storage import outbox
from storage.cases import items as report_items
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose
from storage.letters.letter import Letter
from storage.models import Case, Item, OutboxRow, Subscription
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Channel, LetterKind, Reason, Status, Wanted
from tests.support.desk import STORY, Desk, Slip, desk, pick
from tests.support.talking import texts
from tests.support.unsealing import secret_for

HANDLES = {
    Channel.TELEGRAM: "555",
    Channel.SMS: "+62811",
    Channel.WHATSAPP: "whatsapp:+62811",
}
QUESTION = "Siapa bendaharanya waktu itu, dan di mana kuitansinya disimpan?"


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def wanting(
    here: Desk, channel: Channel, answer: str, language: str = "id"
) -> tuple[Case, Slip]:
    """Report in a language and say which news is wanted; nothing is left to deliver."""
    handle = HANDLES[channel]
    story = STORY.replace("LAPOR", {"id": "LAPOR", "en": "REPORT"}[language])
    case, slip = here.reports(handle, story, channel=channel)
    word = {"id": "KABAR", "en": "NEWS"}[language]
    kind = {"1": "NETRAL", "2": "ISI", "3": "TANPA KABAR"}[answer]
    here.say(handle, f"{word} {kind} {slip}", channel=channel)
    here.delivers(channel)
    return case, slip


def asks(here: Desk, case: Case, words: str = QUESTION) -> None:
    here.act(officer.ask, case.report, words, by=here.house.supervisor.officer)


def moves(here: Desk, case: Case, to: Status, reason: Reason | None = None) -> None:
    sari = here.house.supervisor.officer
    here.act(officer.change_status, case.report, to, by=sari, reason=reason)


def notices(here: Desk, channel: Channel) -> list[Letter]:
    gone = here.delivers(channel)
    return [one for one in gone if one.kind is LetterKind.NOTICE]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("channel", list(HANDLES))
def test_neutral_news_holds_no_word_of_the_text(here, channel, language):
    case, _ = wanting(here, channel, "1", language)
    asks(here, case)
    moves(here, case, Status.VERIFICATION)
    told = notices(here, channel)
    neutral = texts().say("Q24", language=language, channel=channel, case=case.number)
    assert [one.text for one in told] == [neutral]
    ours = texts().say("S.VERIFICATION", language=language, channel=channel)
    for word in {*QUESTION.lower().split(), *ours.lower().split()}:
        if len(word) > len("untuk") and word not in neutral.lower():
            assert all(word not in one.text.lower() for one in told)
    assert all(one.template == "news" for one in told)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("channel", list(HANDLES))
def test_full_news_holds_the_words_and_stays_unread(here, channel, language):
    case, slip = wanting(here, channel, "2", language)
    asks(here, case)
    (question,) = notices(here, channel)
    moves(here, case, Status.VERIFICATION)
    (status,) = notices(here, channel)
    assert question.text.endswith(f"\n\n{QUESTION}")
    assert case.number in question.text
    ours = texts().say("S.VERIFICATION", language=language, channel=channel)
    assert status.text.endswith(ours)
    assert [(one.template, one.language) for one in (question, status)] == [
        ("news", language)
    ] * 2
    with here.database.reading() as session:
        kept = session.exec(select(Item).where(Item.audience == "reporter")).all()
    assert [one.unread for one in kept if one.by_officer] == [True]
    here.say(HANDLES[channel], f"BACA {slip}", channel=channel)
    assert any(QUESTION in one.text for one in here.delivers(channel))


@pytest.mark.both_stores
@pytest.mark.parametrize("channel", list(HANDLES))
def test_full_words_of_a_reason_come_in_the_reader_s_language(here, channel):
    case, _ = wanting(here, channel, "2", "en")
    moves(here, case, Status.VERIFICATION)
    notices(here, channel)
    with here.database.writing() as session:
        row = pick(session, Case, report=case.report)
        row.status, row.reason = Status.REJECTED.value, Reason.R01.value
        here_told = _told(session, here, row)
    assert here_told == 1
    (letter,) = notices(here, channel)
    assert "We cannot process the report: outside our mandate" in letter.text


def _told(session, here: Desk, row: Case) -> int:
    return reporters.tell(here.work(session), row, status=True)


@pytest.mark.parametrize("channel", list(HANDLES))
def test_a_long_text_goes_in_parts_and_only_the_first_may_be_a_template(here, channel):
    case, _ = wanting(here, channel, "2")
    words = "kata " * 1500
    asks(here, case, words)
    told = notices(here, channel)
    most = here.office.text_limits[channel]
    assert len(told) > 1
    assert all(len(one.text) <= most for one in told)
    assert "".join(one.text for one in told).count("kata") == 1500
    assert [one.template for one in told] == ["news", *[""] * (len(told) - 1)]


@pytest.mark.parametrize("channel", list(HANDLES))
def test_nothing_of_a_full_text_is_kept_once_it_was_delivered(here, channel):
    case, _ = wanting(here, channel, "2")
    asks(here, case)
    assert QUESTION in waiting(here), "encrypted under the server key, until it leaves"
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, channel, limit=9, now=here.now)
        provider_id = secrets.token_hex(16)
        assert outbox.sent(
            session, here.keys, held, provider_id=provider_id, final=False, now=here.now
        )
    assert QUESTION not in waiting(here)
    news = News(channel, provider_id, rank=3, final=True)
    assert here.act(statuses.apply, news)
    assert QUESTION not in waiting(here)
    with here.database.reading() as session:
        assert not session.exec(select(OutboxRow)).all()


def waiting(here: Desk) -> str:
    """Return all that the server key opens of what waits or was sent."""
    found = []
    with here.database.reading() as session:
        for row in session.exec(select(OutboxRow)).all():
            place = Context(
                "outbox", row.order_name, "blob", seq=int(row.expires.timestamp())
            )
            found.append(here.keys.unlock(Purpose.OUTBOX, row.blob, place))
        connection = session.connection()
        for name, blob in connection.exec_driver_sql(
            "SELECT name, blob FROM departed"
        ).all():
            place = Context("departed", bytes(name), "blob")
            found.append(here.keys.unlock(Purpose.OUTBOX, bytes(blob), place))
    return "\n".join(json.dumps(json.loads(one)) for one in found)


def test_the_mind_may_be_changed_and_stop_ends_all(here):
    channel = Channel.TELEGRAM
    case, slip = wanting(here, channel, "2")
    for answer, kinds in [
        ("NETRAL", [Wanted.NEUTRAL]),
        ("DENGAN ISI", [Wanted.FULL]),
        ("TANPA KABAR", []),
        ("ISI", [Wanted.FULL]),
    ]:
        here.say("555", f"KABAR {answer} {slip}")
        assert kinds == [one.kind for one in wishes(here, case)]
    here.delivers(channel)
    asks(here, case)
    here.say("555", "STOP")
    assert not notices(here, channel), "what waited is gone too"
    assert wishes(here, case) == []


@pytest.mark.both_stores
def test_no_news_ends_that_case_only_and_what_waits_of_it(here):
    first, slip = wanting(here, Channel.TELEGRAM, "1")
    second, _ = wanting(here, Channel.TELEGRAM, "1")
    for case in (first, second):
        asks(here, case)
    here.say("555", f"KABAR TIDAK {slip}")
    assert wishes(here, first) == []
    assert len(wishes(here, second)) == 1
    told = notices(here, Channel.TELEGRAM)
    assert [one.case for one in told] == [second.report.hex()]


def wishes(here: Desk, case: Case) -> list[Subscriber]:
    with here.database.reading() as session:
        return subscriptions.of_case(session, here.keys, case.report)


def test_a_kind_lives_through_a_message_and_an_old_wish_is_neutral(here):
    case, _ = wanting(here, Channel.SMS, "2")
    here.later(hours=3)
    here.say("+62811", "halo", channel=Channel.SMS)
    (wish,) = wishes(here, case)
    assert wish.kind is Wanted.FULL
    assert wish.last_inbound == int(here.now.timestamp())
    with here.database.writing() as session:
        row = session.exec(select(Subscription)).one()
        place = Context(
            "subscriptions", row.id, "blob", key=encode(row.subscriber, row.case_name)
        )
        old = json.loads(here.keys.unlock(Purpose.SUBSCRIPTION, row.blob, place))
        del old["kind"]
        row.blob = here.keys.lock(Purpose.SUBSCRIPTION, json.dumps(old).encode(), place)
        session.add(row)
    (wish,) = wishes(here, case)
    assert wish.kind is Wanted.NEUTRAL


@pytest.mark.parametrize("answer", ["YA", "2", "TIDAK", "LEWAT"])
def test_the_question_before_the_review_sets_the_kind(here, answer):
    for words in (
        "LAPOR",
        "AMAN",
        "PAHAM",
        "SETUJU",
        "ANONIM",
        "SUAP",
        *["LEWATI"] * 3,
    ):
        here.say("555", words)
    here.say("555", "Kepala dinas minta uang")
    here.say("555", "SELESAI")
    for _ in range(8):
        here.say("555", "LEWAT")
    here.say("555", answer)
    here.say("555", "KIRIM")
    case = here.case(here.receipt("555").number)
    wanted = {"YA": [Wanted.NEUTRAL], "2": [Wanted.FULL]}.get(answer, [])
    assert [one.kind for one in wishes(here, case)] == wanted
    told = [one.content.text for one in here.reads(case) if one.content]
    assert not any("Q21" in text for text in told), "nothing in the case tells of it"


def test_a_changed_case_tells_nobody_anything(here):
    case, _ = wanting(here, Channel.TELEGRAM, "2")
    with here.database.writing() as session:
        row = pick(session, Case, report=case.report)
        row.reason = Reason.C01.value
        session.add(row)
    with pytest.raises(NotAuthentic):
        asks(here, case)
    assert notices(here, Channel.TELEGRAM) == []


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("msgid", ["Q21", "Q21K", "SUBFULL", "SUBNONE", "FULLNEWS"])
def test_the_question_is_one_sms_and_honest(language, msgid):
    said = texts().say(msgid, language=language, channel=Channel.SMS, case="7K3M-9QXB")
    assert (septets(said) or 999) <= ONE_SEGMENT
    if msgid.startswith("Q21"):
        assert "operator" in said
        chat = texts().say(msgid, language=language, channel=Channel.WHATSAPP)
        assert {"id": "penyedia", "en": "provider"}[language] in chat


def test_the_unit_reads_the_same_question(here):
    case, _ = wanting(here, Channel.TELEGRAM, "2")
    asks(here, case)
    with here.database.reading() as session:
        secret = secret_for(
            session, here.keys, case.report, here.house.unit, here.house.unit_secret
        )
        items = report_items.read(session, here.keys, case.report, secret)
    assert QUESTION in [one.content.text for one in items if one.content]
