"""Words as people use them: slips, courtesies, lost codes, and the way back."""

import re

import pytest

from handlers.messages import Kind, Proof
from storage.words import Channel
from tests.support.talking import Phone, book, sms, telegram, texts, whatsapp

STORY = "Kepala desa minta 2 juta untuk surat tanah"
GATES = ("LAPOR", "ya", "ya", "ya")


def at(step: str, phone: Phone | None = None) -> Phone:
    """Lead a draft to one of its questions."""
    phone = (phone or telegram()).say(*GATES)
    while phone.state.step != step:
        phone.say(*((STORY, "SELESAI") if phone.state.step == "Q10" else ("LEWAT",)))
    return phone


@pytest.mark.parametrize(
    "slip", ["head", "rea", "baco", "stok", "batas", "kirin", "stats"]
)
def test_inside_a_draft_a_near_miss_leads_nowhere_else(slip):
    phone = at("Q09").say(slip)
    assert phone.said == ["X01", "Q09"]
    assert at("Q09").say("read this head").said == ["X01", "Q09"]
    assert at("Q09").say("bantuann").said == ["Q28"]
    assert at("Q09").say("BACA").said == ["Q22", "HELD"]
    assert telegram().say("statsu").said == ["Q22"]


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    "word", ["LEWAT", "SKIP", "no", "TIDAK", "done", "selesai", "dont know", "BATAL", "cancel"]
)  # fmt: skip
def test_whoever_has_no_code_comes_back_to_the_draft(channel, word):
    phone = at("Q09", Phone(channel)).say("BACA")
    assert phone.said == ["Q22", "HELD"]
    assert phone.say(word).said == ["BACK", "Q09"]
    assert phone.command is None
    assert phone.state.has_draft
    waiting = at("Q09", Phone(channel))
    waiting.proving(Proof.NONE, may_add=False, number_only=True).say("BACA 7K3M-9QXB")
    assert waiting.said == ["Q22C", "HELD"]
    assert waiting.plainly().say(word).said == ["BACK", "Q09"]


def test_whoever_has_no_code_and_no_draft_is_welcomed():
    for word in ("LEWAT", "no", "selesai"):
        assert sms().say("STATUS", word).said == ["Q01"]
    assert sms().say("STATUS", "BATAL").said == ["LEFT"]
    back = sms().say("STATUS", "KEMBALI")
    assert back.said == ["NODRAFT"]
    assert back.state.step == ""


def test_the_second_unclear_message_closes_the_question_for_the_code():
    phone = at("Q09").say("BACA", "apa ya")
    assert phone.said == ["X01R"]
    assert phone.say("hmm").said == ["BACK", "Q09"]
    assert phone.state.unclear == 0
    assert sms().say("STATUS", "apa ya", "hmm").said == ["Q01"]


def test_other_questions_beside_a_draft_hold_nobody_either():
    phone = at("Q09").say("BAHASA", "???", "!!!")
    assert phone.said == ["X01", "Q29"]
    assert phone.say("...").said == ["BACK", "Q09"]
    assert phone.say("BAHASA", "lewat").said == ["BACK", "Q09"]
    assert phone.say("UBAH", "lewat").said == ["Q09"]
    sure = telegram().plainly(may_add=True).say("TARIK", "lewat")
    assert sure.said == ["KEPT"]
    assert sure.kept == []
    assert sure.command is None
    for word in ("LEWAT", "SKIP"):
        adding = sms().plainly(may_add=True).say("TAMBAH", word)
        assert adding.said == ["THANKS"]
        assert adding.kept == []


@pytest.mark.parametrize("greeting", ["hi", "Hello", "/start", "halo"])
def test_a_greeting_does_not_fix_the_language(greeting):
    phone = sms().say(greeting)
    assert not phone.state.chosen
    assert phone.say("LAPOR Pak lurah minta uang").state.language == "id"
    assert sms().say(greeting, "REPORT").state.language == "en"
    chosen = sms().say("EN", greeting)
    assert chosen.state.language == "en"


def test_a_later_word_of_one_language_changes_it_outside_a_draft():
    assert sms().say("REPORT", "ABORT", "LAPOR").state.language == "id"
    assert sms().say("LAPOR", "HELP").state.language == "id"
    assert sms("en").say("STATUS").state.language == "en"


@pytest.mark.parametrize("word", ["makasih", "Terima kasih!", "thanks", "ok", "Oke"])
def test_courtesies_are_answered_and_never_kept(word):
    done = telegram().plainly(may_add=True).say("TAMBAH", "Satu lagi", "SELESAI")
    added = telegram().plainly(may_add=True).say("JAWAB", "Hari Senin")
    receipt = sms()
    for phone in (done, added, receipt):
        before = list(phone.items)
        assert phone.say(word).said == ["POLITE"]
        assert phone.items == before
    told = at("Q10").say(STORY)
    assert told.say(word).said == ["MORE"]
    assert told.say("BAHASA", "lewat", word).said == ["MORE"]
    assert told.kept == [("Q10", STORY)]
    early = at("Q10").say(word)
    assert early.said == ["NEEDSTORY"]
    assert early.kept == []


def test_ok_may_be_the_answer_to_an_officer_s_question():
    for channel in Channel:
        phone = Phone(channel).proving().say("BACA 7K3M-9QXB 1234567890123456")
        phone.plainly(may_add=True)
        assert phone.say("makasih").said == ["POLITE"]
        assert phone.say("ok").kept == [("Q25", "ok")]
    assert sms().plainly(may_add=True).say("JAWAB", "oke").kept == [("Q25", "oke")]
    assert sms().plainly(may_add=True).say("cukup").said == ["POLITE"]


def test_at_the_story_nothing_but_the_story_is_kept():
    for word in ("LEWAT", "SKIP"):
        phone = at("Q10").say(word)
        assert phone.said == ["NEEDSTORY", "Q10"]
        assert phone.kept == []
    for word in ("back", "kembali", "go back", "UBAH"):
        assert at("Q10").say(word).said == ["EDIT"]
    assert at("Q10").say(STORY, "LEWAT").said == ["Q11"]


def test_whoever_edits_the_question_that_is_open_goes_on_after_it():
    phone = at("Q10").say(STORY, "UBAH", "3", "Begini sebenarnya", "SELESAI")
    assert phone.said == ["Q11"]
    assert phone.items[-1].version == 2


def test_cancelling_an_edit_deletes_no_report():
    phone = at("Q12").say("kembali", "batal")
    assert phone.said == ["Q12"]
    assert phone.state.has_draft
    assert phone.command is None
    assert phone.say("batal").said == ["X09"]


def test_by_sms_what_is_unclear_is_answered_with_what_can_be_answered():
    for step in book().report:
        if step.kind.takes_text or step.gate:
            continue
        phone = at(step.code, sms()).say("xyz xyz")
        text = phone.heard[0].text
        if phone.said == ["X01"]:
            asked = texts().say(step.code, language="id", channel=Channel.SMS)
            assert " 1 " in asked
            assert phone.say("LEWAT").state.step != step.code
        else:
            assert phone.said == [step.code]
            assert re.search("YA/TIDAK|Balas KIRIM", text), step.code
    assert sms().say("LAPOR", "xyz").said == ["Q02"]


def test_no_chat_text_tells_people_to_tap():
    for language in ("id", "en"):
        for variant, msgid, text in texts().known(language):
            if variant in {"chat", "both"} and msgid != "X12":
                assert not re.search(
                    r"(?i)\b(ketuk|tekan|tap|press|tombol|buttons?)\b", text
                )


def test_help_after_three_tries_names_only_what_works():
    idle = sms().say("aaa", "bbb", "ccc")
    assert idle.said == ["X01N"]
    assert "BATAL" not in idle.heard[0].text
    assert "LANJUT" not in idle.heard[0].text
    assert at("Q09").say("aaa aaa", "bbb bbb", "ccc ccc").said == ["X01H"]


@pytest.mark.parametrize(
    ("step", "line", "asked"),
    [
        ("Q02", "ya aman", "Q03"),
        ("Q02", "Yes, safe", "Q03"),
        ("Q16", "TIDAK", "Q17"),
        ("Q07", "idk", "Q08"),
        ("Q07", "gatau", "Q08"),
        ("Q09", "ga tau", "Q10"),
        ("Q15", "ok", "Q16"),
        ("Q15", "sudah", "Q16"),
        ("Q15", "cukup", "Q16"),
        ("Q15", "gak ada", "Q16"),
    ],
)
def test_common_words_are_understood(step, line, asked):
    phone = telegram().say("LAPOR") if step == "Q02" else at(step)
    kept = list(phone.items)
    assert phone.say(line).said == [asked]
    assert phone.items == kept


def test_common_words_that_begin_or_end():
    for line in (
        "mau lapor",
        "Saya mau lapor",
        "saya ingin melapor",
        "I want to report",
    ):
        assert sms().say(line).said == ["Q02"]
    for line in (
        "That's all.",
        "thats all",
        "sudah",
        "cukup",
        "itu saja",
        "sudah cukup",
    ):
        phone = at("Q10").say(STORY, line)
        assert phone.said == ["Q11"]
        assert phone.kept == [("Q10", STORY)]
    assert at("Q16").say("TIDAK").state.answers["Q16"] == "UNSAID"


@pytest.mark.parametrize(
    "line", ["lupa kode", "Kode hilang", "lost code", "I lost my code"]
)
def test_a_lost_code_is_told_plainly(line):
    for channel in Channel:
        asked = Phone(channel).say("STATUS", line)
        assert asked.said == ["LOSTCODE"]
        assert asked.state.step == ""
        assert Phone(channel).say(line).said == ["LOSTCODE"]
        assert at("Q09", Phone(channel)).say("BACA", line).said == ["LOSTCODE", "Q09"]
        assert at("Q11", Phone(channel)).say(line).said == ["LOSTCODE", "Q11"]


def test_what_seems_outside_the_task_is_told_once_and_blocks_nothing():
    phone = at("Q06")
    assert phone.say("layanan").said == ["X10", "Q07"]
    assert phone.say("LANJUT").said == ["Q07"]
    assert phone.say("Dinas X").said == ["Q08"]
    assert phone.say("UBAH", "SOAL", "7").said == ["Q08"]
    pressed = at("Q06").press("Suap/pungli")
    assert pressed.said == ["Q07"]
    assert pressed.press("Layanan publik").said == ["CHANGED", "X10", "Q07"]
    assert pressed.press("Layanan publik").said == ["CHANGED", "Q07"]
    by_sms = at("Q06", sms()).say("7")
    assert by_sms.said == ["X10", "Q07"]
    assert by_sms.say("LEWAT").said == ["Q08"]


def test_courtesies_are_no_answer_to_a_choice():
    assert at("Q05", whatsapp()).say("makasih").said == ["X01", "Q05"]
    assert telegram().send(Kind.TEXT, text="ok").said == ["POLITE"]
