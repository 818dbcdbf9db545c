"""STOP ends everything at once, wherever it is said, and is never an answer."""

from dataclasses import replace

import pytest
from sqlmodel import select

from bot.channels.sms import STOP_WORDS
from handlers.lengths import ONE_SEGMENT, septets
from handlers.messages import Command, CommandName, Kind
from handlers.questionnaire.book import load
from handlers.questionnaire.keywords import Keywords
from handlers.questionnaire.proofs import check
from handlers.talk.state import State
from storage.models import Draft, Item, Subscription
from storage.words import Channel
from tests.handlers.notices.test_reporters import HANDLES, asks, notices, wanting
from tests.handlers.questionnaire.test_book import changed
from tests.support.desk import Desk, desk
from tests.support.talking import Phone, book, texts

WORDS = sorted(book().keywords.of("STOP"))
WRITTEN = ["STOP", "stop", "Stop.", "STOP!", "  stop  ", "S\u200bTOP", "Berhenti", "BERHENTI SEMUA", "/stop", "unsubscribe", "Stop all"]  # fmt: skip
STEPS = ["", *(step.code for step in book().steps)]


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def at(step: str, channel: Channel) -> Phone:
    """Return a phone whose open question is this one, with a draft beside it or under it."""
    own = book().step(step)
    aside = own is not None and own.aside
    state = State(draft="tok_en-8", step=step, held="Q10" if aside else "")
    if not step:
        state = State()
    return Phone(channel, replace(state, chosen=True))


@pytest.mark.parametrize("channel", list(HANDLES))
@pytest.mark.parametrize("step", STEPS)
def test_no_question_takes_it_for_an_answer(step: str, channel: Channel):
    for word in {*WORDS, *WRITTEN}:
        phone = at(step, channel).say(word)
        assert phone.command is not None, (step, word)
        assert phone.command.name is CommandName.UNSUBSCRIBE, (step, word)
        assert phone.items == [], (step, word)
        assert phone.said == ["STOPPED"]
        assert phone.state == phone.state.fresh()


@pytest.mark.parametrize("step", ["Q02", "Q10", "Q15", "Q19", "Q23"])
def test_a_message_that_is_changed_to_stop_stops(step: str):
    phone = at(step, Channel.TELEGRAM)
    phone.send(Kind.EDIT, text="STOP", message_id=7)
    assert phone.command is not None
    assert phone.command.name is CommandName.UNSUBSCRIBE
    assert phone.items == []


@pytest.mark.parametrize("kind", [Kind.OPT_OUT, Kind.BLOCKED])
@pytest.mark.parametrize("channel", list(HANDLES))
@pytest.mark.parametrize("step", STEPS)
def test_where_the_provider_answers_we_are_silent(step, channel, kind):
    phone = at(step, channel).send(kind, text="STOP")
    assert phone.heard == []
    assert phone.command == Command(CommandName.UNSUBSCRIBE)


@pytest.mark.parametrize("line", ["Tolong stop pungli ini", "stop dulu ya nanti lagi"])
def test_a_story_that_holds_the_word_is_a_story(line: str):
    assert at("Q10", Channel.SMS).say(line).kept == [("Q10", line)]


@pytest.mark.parametrize("channel", list(HANDLES))
def test_in_the_middle_of_a_report_it_takes_the_draft_and_what_waits(here, channel):
    handle = HANDLES[channel]
    case, slip = wanting(here, channel, "1")
    for word in ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM"):
        here.say(handle, word, channel=channel)
    here.delivers(channel)
    asks(here, case)
    here.say(handle, "Stop.", channel=channel)
    told = here.delivers(channel)
    assert ["draf" in one.text for one in told] == [True]
    with here.database.reading() as session:
        for table in (Draft, Subscription):
            assert session.exec(select(table)).all() == []
        kept = {one.report for one in session.exec(select(Item)).all()}
    assert kept == {case.report}
    here.say(handle, "MULAI", channel=channel)
    assert "KABAR nomor kode" in here.delivers(channel)[0].text
    here.say(handle, f"KABAR NETRAL {slip}", channel=channel)
    here.delivers(channel)
    asks(here, case)
    assert len(notices(here, channel)) == 1


@pytest.mark.both_stores
def test_it_counts_for_one_sender_and_one_channel_only(here: Desk):
    case, slip = wanting(here, Channel.TELEGRAM, "1")
    for channel in (Channel.SMS, Channel.WHATSAPP):
        here.say(HANDLES[channel], f"KABAR NETRAL {slip}", channel=channel)
    for channel in HANDLES:
        here.delivers(channel)
    asks(here, case)
    here.say(HANDLES[Channel.SMS], "STOP", channel=Channel.SMS, kind=Kind.OPT_OUT)
    assert here.delivers(Channel.SMS) == []
    asks(here, case)
    assert here.delivers(Channel.SMS) == []
    for channel in (Channel.TELEGRAM, Channel.WHATSAPP):
        assert len(notices(here, channel)) == 1


@pytest.mark.parametrize("kind", [Kind.OPT_IN, Kind.UNBLOCKED])
@pytest.mark.parametrize("language", ["id", "en"])
def test_who_comes_back_hears_how_to_get_news(kind: Kind, language: str):
    for channel in HANDLES:
        phone = Phone(channel, State(language=language)).send(kind, text="START")
        assert phone.said == ["AGAIN", "Q01"]
        word = {"id": "KABAR", "en": "NEWS"}[language]
        assert word in phone.heard[0].text


def test_the_first_word_on_telegram_is_a_welcome_only():
    assert Phone(Channel.TELEGRAM).say("/start").said == ["Q01"]
    assert Phone(Channel.WHATSAPP).say("MULAI").said == ["AGAIN", "Q01"]
    assert Phone(Channel.WHATSAPP).say("Halo").said == ["Q01"]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("msgid", ["STOPPED", "AGAIN"])
def test_what_is_said_is_one_sms(language: str, msgid: str):
    said = texts().say(msgid, language=language, channel=Channel.SMS)
    assert (septets(said) or 999) <= ONE_SEGMENT


def test_every_word_that_twilio_takes_is_known_and_means_the_same():
    taken = book().taken["twilio"]
    assert {word.casefold() for word in STOP_WORDS} <= taken
    meant = {word: book().keywords.whole(word) for word in taken}
    found = {word: one.command for word, one in meant.items() if one}
    assert set(found) == taken, "each does something when it reaches us"
    assert set(found.values()) == {"STOP", "RESUME", "HELP", "ABORT"}
    assert [word for word, one in found.items() if one == "ABORT"] == ["cancel"]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("keywords.toml", '"SEND", "SUBMIT"', '"SEND", "END"', "SEND: twilio takes END"),
        ("keywords.toml", '"DONE", "FINISHED"', '"DONE", "QUIT"', "[words] DONE: twilio takes QUIT"),
        ("keywords.toml", 'ABORT = ["CANCEL"]', 'EDIT = ["CANCEL"]', "ABORT: twilio takes CANCEL"),
        ("keywords.toml", '"ABORT", "CANCEL"', '"ABORT", "REVOKE"', "ABORT: twilio takes REVOKE"),
        ("questionnaire.toml", '"NANTI", "NANTI SAJA"', '"NANTI", "NANTI SAJA", "CANCEL"', ""),
        ("questionnaire.toml", '"AMAN", "AMAN, LANJUT"', '"AMAN", "START"', "Q02 YES: twilio takes START"),
    ],
)  # fmt: skip
def test_an_agency_s_copy_that_uses_one_is_refused(tmp_path, file, old, new, told):
    found = check(copied(tmp_path, file, old, new), texts())
    complaints = [line for line in found if "twilio takes" in line]
    assert any(told in line for line in complaints) if told else complaints == []


def copied(folder, file: str, old: str, new: str):
    if file == "questionnaire.toml":
        return changed(folder, (old, new))
    source = Keywords.load.__globals__["_DEFAULT"].read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    (folder / file).write_text(source.replace(old, new), encoding="utf-8")
    plain = Keywords.load.__globals__["_DEFAULT"].parent.joinpath("questionnaire.toml")
    path = folder / "questionnaire.toml"
    path.write_text(plain.read_text(encoding="utf-8"), encoding="utf-8")
    return load(path)
