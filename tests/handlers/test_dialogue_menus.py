"""Numbers under menus: where a number is shown, typing it is pressing its button."""

from dataclasses import replace

import pytest

from handlers.messages import CommandName, Kind
from handlers.talk.followup import receipt_choices
from handlers.talk.turn import Turn
from handlers.texts import is_numbered
from storage.words import Channel
from tests.support.talking import Phone, sms, telegram, whatsapp

CHATS = [Channel.TELEGRAM, Channel.WHATSAPP]
OPENED = "BACA 7K3M-9QXB 1234567890123456"


def same(turn: Turn) -> Turn:
    """Leave out what differs between a press and a text: ids, and presses to replay."""
    state = replace(turn.state, base=None, presses=(), newest=0, said=())
    items = tuple(replace(item, text="") for item in turn.items)
    return replace(turn, state=state, items=items)


def typing_is_pressing(phone: Phone) -> None:
    """Type each number of the last numbered list, and press it: the same must follow."""
    (reply,) = [one for one in phone.turn.replies if one.choices][-1:]
    assert is_numbered(reply)
    for number, choice in enumerate(reply.choices, start=1):
        two = [
            Phone(phone.channel, phone.state, phone.facts, count=phone.count)
            for _ in "ab"
        ]
        typed = two[0].say(str(number))
        pressed = two[1].send(Kind.PRESS, press=choice.data)
        assert same(typed.turn) == same(pressed.turn), choice


@pytest.mark.parametrize("channel", CHATS)
def test_the_numbers_of_the_welcome_work(channel):
    phone = Phone(channel).say("halo")
    typing_is_pressing(phone)
    assert phone.say("1").said == ["Q02"]
    assert Phone(channel).say("halo", "2").said == ["Q22"]
    assert Phone(channel).say("halo", "3").said == ["Q28"]
    assert Phone(channel).say("halo", "3", "1").said == ["Q02"], "still to be seen"


@pytest.mark.parametrize("channel", CHATS)
def test_the_numbers_under_an_opened_report_are_no_words_of_the_reporter(channel):
    phone = Phone(channel).proving().say(OPENED).plainly(may_add=True)
    typing_is_pressing(phone)
    assert phone.say("2").said == ["Q25"]
    assert phone.kept == []
    assert phone.say("Senin").said == ["ADDED"]
    words = Phone(channel).proving().say(OPENED).plainly(may_add=True)
    words.say("Hari Senin", "2")
    assert [text for _, text in words.kept] == ["Hari Senin", "2"]


def test_by_sms_no_menu_is_numbered_so_a_number_is_an_answer():
    phone = sms().proving().say(OPENED).plainly(may_add=True).say("2")
    assert phone.kept == [("Q25", "2")]
    assert sms().say("halo", "1").said == ["Q01"]


def test_the_menu_beside_a_draft_goes_before_the_draft_s_own_numbers():
    phone = whatsapp().say("LAPOR", "1", "1", "1", "1", "1", "1", "1", "7")
    phone.proving().say(OPENED).plainly(may_add=True)
    assert phone.said == ["OPENED", "HELD"]
    typing_is_pressing(phone)
    assert phone.say("3").said == ["Q26H"]


@pytest.mark.parametrize("channel", CHATS)
def test_under_a_receipt_there_are_buttons_but_no_numbers(channel):
    press = receipt_choices()[1].data
    assert Phone(channel).send(Kind.PRESS, press=press).said == ["Q21H"]
    assert Phone(channel).say("KABAR").said == ["Q21H"]


@pytest.mark.parametrize("channel", CHATS)
def test_typing_is_pressing_at_every_question(channel):
    phone = Phone(channel).say("LAPOR")
    asked = set()
    for answer in ["1", "1", "1", "2", "Budi", "1", "x", "y", "1", "cerita"]:
        asked.add(phone.state.step)
        typing_is_pressing(phone)
        phone.say(answer)
    phone.say("SELESAI")
    while phone.state.step != "Q19":
        asked.add(phone.state.step)
        typing_is_pressing(phone)
        phone.say("LEWAT")
    typing_is_pressing(phone)
    for line, step in [("UBAH", "EDIT"), ("BAHASA", "Q29")]:
        assert phone.say(line).state.step == step
        typing_is_pressing(phone)
    assert len(asked) > 17


def test_numbers_of_a_draft_that_is_gone_mean_nothing():
    phone = whatsapp().say("halo", "LAPOR", "1")
    phone.facts = replace(phone.facts, resumed_expired=True)
    assert phone.say("1").said == ["X06"]
    assert phone.plainly().say("1").said == ["Q01"]
    sent = telegram().say("LAPOR Pak lurah minta uang")
    assert sent.command
    assert sent.command.name is CommandName.SUBMIT
    assert sent.state == sent.state.fresh()
    assert sent.say("2").said == ["Q01"]
