"""What is said: filled in, numbered, in the right language and variant."""

import pytest

from handlers.errors import RulesInvalid
from handlers.lengths import septets
from handlers.messages import Choice, Reply
from handlers.talk.followup import receipt_choices
from handlers.texts import TextMissing, Texts, holes
from storage.words import Channel, Reason, Status
from tests.support.talking import texts

CHOICES = (Choice("a.Q29.YES", "YES"), Choice("a.Q29.NO", "NO"))


def test_chat_shows_choices_as_lines_and_buttons():
    reply = Reply("Q29", choices=CHOICES)
    for channel in (Channel.TELEGRAM, Channel.WHATSAPP):
        said = texts().render(reply, language="id", channel=channel)
        assert said.text == "Pilih bahasa.\n\n1. Ya\n2. Tidak"
        assert said.buttons == (("Ya", "a.Q29.YES"), ("Tidak", "a.Q29.NO"))


def test_numbers_stand_only_where_typing_one_is_an_answer():
    alert = Reply(
        "ALERT.NEW",
        {"case": "7K3M-9QXB", "category": "@GROUP.COR", "urgency": "@URGENCY.HIGH"},
        (Choice("take:7K3M-9QXB", "B.TAKE"),),
    )
    for channel in (Channel.TELEGRAM, Channel.WHATSAPP):
        for reply in (alert, Reply("Q20", {}, receipt_choices())):
            said = texts().render(reply, language="id", channel=channel)
            assert "\n1. " not in said.text
            assert said.buttons
    receipt = texts().say("Q20", language="id", channel=Channel.WHATSAPP)
    assert "Tulis KABAR" in receipt


def test_sms_shows_the_numbers_of_its_own_text():
    said = texts().render(
        Reply("Q29", choices=CHOICES), language="en", channel=Channel.SMS
    )
    assert said.text == "Choose language: 1 Indonesia 2 English"
    assert said.buttons == ()


def test_an_officer_s_words_follow_as_they_are():
    reply = Reply("ASKED", literal="Kapan {itu}? %s")
    said = texts().render(reply, language="id", channel=Channel.SMS)
    assert said.text.endswith(":\n\nKapan {itu}? %s")
    assert "Kapan" not in repr(said)


def test_parameters_and_the_agency_s_own_are_filled_in():
    said = texts().say("X04", language="en", channel=Channel.SMS, n="2")
    assert "at most 2 MB" in said
    assert "Inspektorat Jambi" in texts().say("Q01", language="id", channel=Channel.SMS)


def test_a_parameter_may_name_other_texts():
    closed = texts().say("S.CLOSED", language="en", channel=Channel.SMS, reason="@C04")
    assert "Result: not proven." in closed
    review = Reply("Q19", {"n": "2", "of": "8", "parts": "@P.Q07 P.Q10"})
    said = texts().render(review, language="id", channel=Channel.TELEGRAM)
    assert "Instansi, Kejadian" in said.text


def test_a_forgotten_parameter_loses_no_message():
    assert "(n)" in texts().say("X04", language="id", channel=Channel.SMS)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("channel", list(Channel))
def test_every_status_fits_one_sms_with_every_reason(language, channel):
    for status in Status:
        for reason in Reason:
            said = texts().say(
                f"S.{status}", language=language, channel=channel, reason=f"@{reason}"
            )
            assert (septets(said) or 999) <= 160


def test_a_variant_is_never_borrowed():
    with pytest.raises(TextMissing, match="id sms EDIT2"):
        texts().say("EDIT2", language="id", channel=Channel.SMS)
    with pytest.raises(TextMissing, match="id sms YES"):
        texts().find("YES", "id", "sms")
    assert texts().label("P.Q07", "id") == "Instansi"


def test_an_unknown_language_reads_the_first_one():
    assert texts().label("YES", "fr") == "Ya"
    with pytest.raises(TextMissing, match="no catalogue for the language 'fr'"):
        Texts(["fr"], {})


def test_texts_promise_no_protection_and_ask_for_no_phone_number():
    for language in ("id", "en"):
        for _, msgid, text in texts().known(language):
            low = text.lower()
            assert "menjamin" not in low, msgid
            assert "guarantee" not in low, msgid
            assert "tor browser" not in low, "no web intake in this version"


def test_a_text_that_cannot_be_filled_in_is_refused_at_start(monkeypatch, tmp_path):
    for text in ("{n", "{}", "{0}", "{n.x}"):
        place = tmp_path / "locales" / "xx"
        place.mkdir(parents=True, exist_ok=True)
        (place / "messages.po").write_text(
            f'msgctxt "sms"\nmsgid "Q1"\nmsgstr "{text}"\n'
        )
        monkeypatch.setattr("handlers.texts.files", lambda _: tmp_path)
        with pytest.raises(RulesInvalid, match=r"locales/xx/messages.po: sms Q1"):
            Texts(["xx"], {})


def test_holes_are_the_names_in_braces():
    assert holes("a {b} c {d}{b}") == {"b", "d"}
    assert holes("plain") == frozenset()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", 0),
        ("abc", 3),
        ("{}", 4),
        ("€", 2),
        ("é", 1),
        ("ç", None),
        ("\u2013", None),
        ("🙏", None),
    ],
)
def test_how_an_sms_is_counted(text, places):
    assert septets(text) == places
