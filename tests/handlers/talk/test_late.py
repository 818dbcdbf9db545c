"""What a message means that reached us after its person wrote again."""

from dataclasses import replace

import pytest

from handlers.messages import Kind
from storage.words import Audience, ItemKind
from tests.support.talking import sms, whatsapp


def late(phone, text, kind=Kind.TEXT, **more):
    """Send what was found at the provider, with a later message known already."""
    before = phone.facts
    phone.facts = replace(before, overtaken=True)
    phone.send(kind, text=text, recovered=True, **more)
    phone.facts = before
    return phone.turn


def test_it_answers_no_open_question_and_is_kept_in_the_draft():
    phone = sms().say("LAPOR")
    open_question, before = phone.state.step, phone.state.answers
    turn = late(phone, "1")
    assert [one.text for one in turn.items] == ["1"]
    assert turn.items[0].audience is Audience.CASE
    assert phone.state.step == open_question
    assert phone.state.answers == before
    assert [one.text for one in turn.replies] == ["LATE", open_question]


def test_once_a_name_was_asked_for_it_is_sealed_as_a_name():
    phone = whatsapp().say("LAPOR")
    phone.state = phone.state.with_answer("Q05", "CONF")
    (item,) = late(phone, "Budi Santoso").items
    assert (item.kind, item.audience) == (ItemKind.IDENTITY, Audience.IDENTITY)


@pytest.mark.parametrize("text", ["2", "uang dua juta", "YA"])
def test_without_a_draft_it_is_asked_for_again(text):
    phone = whatsapp().say("halo")
    turn = late(phone, text)
    assert [one.text for one in turn.replies] == ["LATE0"]
    assert turn.items == ()


def test_a_report_in_one_message_is_a_report():
    phone = whatsapp().say("halo")
    turn = late(phone, "LAPOR kepala dinas meminta uang untuk izin usaha saya")
    assert turn.items


@pytest.mark.parametrize("phone", [sms(), whatsapp()], ids=["sms", "whatsapp"])
def test_stop_still_stops(phone):
    phone.say("LAPOR")
    turn = late(phone, "BERHENTI")
    assert turn.command is not None
    assert turn.command.name == "unsubscribe"


def test_what_was_not_overtaken_answers_as_ever():
    phone = sms().say("LAPOR")
    before = phone.state.step
    phone.send(Kind.TEXT, text="1", recovered=True)
    assert phone.state.step != before


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.UNSUPPORTED])
def test_one_without_content_is_asked_for_again(kind):
    phone = whatsapp().say("LAPOR")
    phone.send(kind, recovered=True)
    assert [one.text for one in phone.turn.replies] == ["EMPTY"]
