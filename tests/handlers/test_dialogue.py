"""Whole conversations, one after the other, as a reporter has them."""

from dataclasses import replace

import pytest

from handlers.dialogue import advance, wants_receipt
from handlers.messages import CommandName, Incoming, Kind, Media, Proof
from handlers.talk.followup import receipt_choices
from handlers.talk.state import State
from handlers.talk.turn import Promises
from storage.words import Audience, Channel, ItemKind, Wanted
from tests.support.talking import NOW, Phone, book, sms, telegram, texts, whatsapp

STORY = "Kepala desa minta 2 juta untuk surat tanah"


def at_story(phone: Phone) -> Phone:
    return phone.say("LAPOR", "ya", "ya", "ya", "1", "1", "lewat", "lewat", "7")


def at_review(phone: Phone) -> Phone:
    at_story(phone).say(STORY, "SELESAI")
    while phone.state.step != "Q19":
        phone.say("lewat")
    return phone


def test_a_report_by_sms_in_indonesian():
    phone = sms()
    assert phone.say("Assalamualaikum").said == ["Q01"]
    assert phone.say("LAPOR").said == ["Q02"]
    assert phone.say("YA").said == ["Q03"]
    assert phone.say("ya").said == ["Q04"]
    assert phone.say("Ya.").said == ["Q05"]
    assert phone.say("2").said == ["Q05b"]
    assert phone.say("Budi, malam hari").said == ["Q06"]
    assert phone.say("1").said == ["Q07"]
    assert phone.say("Dinas X, Bungo").said == ["Q08"]
    assert phone.say("LEWAT").said == ["Q09"]
    assert phone.say("5").said == ["Q10"]
    assert phone.say(STORY).said == ["MORE"]
    assert phone.say("Dia minta lagi bulan ini").said == []
    assert phone.say("SELESAI").said == ["Q11"]
    assert phone.say("Kantor desa").said == ["Q12"]
    assert phone.say("MASIH").said == ["Q13"]
    assert phone.say("tidak tahu").said == ["Q14"]
    assert phone.say("2").said == ["Q15"]
    assert phone.say("YA").said == ["Q15F", "Q16"]
    assert phone.say("1").said == ["Q17"]
    assert phone.say("BELUM").said == ["Q18"]
    assert phone.say("3").said == ["Q21"]
    assert phone.say("YA").said == ["Q19"]
    assert phone.heard[0].text.startswith("5 dari 8 bagian terisi.")
    assert phone.say("KIRIM").said == ["SENT"]
    assert phone.kept == [
        ("Q05b", "Budi, malam hari"),
        ("Q07", "Dinas X, Bungo"),
        ("Q10", STORY),
        ("Q10", "Dia minta lagi bulan ini"),
        ("Q11", "Kantor desa"),
        ("Q14", "2"),
    ]
    assert phone.command
    assert phone.command.name is CommandName.SUBMIT
    assert phone.command.notify
    assert phone.command.answers == {
        "Q02": "YES", "Q03": "YES", "Q04": "YES", "Q05": "CONF", "Q06": "COR-09",
        "Q09": "KDS", "Q12": "STILL", "Q13": "DONTKNOW", "Q16": "SAW", "Q17": "NOTYET",
        "Q18": "THREATENED",
    }  # fmt: skip
    assert phone.state == State(language="id", chosen=True)


def test_a_report_by_telegram_buttons_in_english():
    phone = telegram()
    assert phone.say("/start").said == ["Q01"]
    phone.say("REPORT")
    assert phone.state.language == "en"
    phone.press(
        "Safe, go on", "Understood, go on", "I agree", "Anonymous", "Public money"
    )
    phone.say("Office X, Jambi").press("I do not know", "Senior leader")
    assert phone.say("They sold the cars").said == ["MORE"]
    phone.press("Done", "Skip", "Still going on", "Skip")
    assert phone.say("2").said == ["Q15"]
    assert phone.press("Send a file").said == ["Q15F"]
    assert phone.media("").said == ["FILED"]
    assert phone.press("Done").said == ["Q16"]
    phone.press("From papers", "Not yet", "Worried")
    assert phone.press("No news").said == ["Q19"]
    assert "Agency, What happened, When, Evidence" in phone.heard[0].text
    assert phone.press("Send").said == ["SENT"]
    assert phone.command
    assert not phone.command.notify
    assert phone.command.answers["Q14"] == "DONTKNOW"
    assert phone.kept[0] == ("Q07", "Office X, Jambi")
    assert phone.items[-1].media == 0


def test_a_report_by_whatsapp_with_typed_labels_and_slips():
    phone = whatsapp()
    phone.say("lapor", "Aman, lanjut", "paham lanjut", "setuju", "anonm", "pungli")
    assert phone.state.answers["Q05"] == "ANON"
    assert phone.state.answers["Q06"] == "COR-09"
    assert phone.say("1").said == ["Q08"], (
        "on chat the numbers are shown, so they count"
    )
    assert phone.kept == []
    assert phone.say(
        "Pak Anu", "kepala desaa", "cerita saya panjang", "selseai"
    ).said == ["Q11"]
    assert phone.state.answers["Q09"] == "KDS"
    assert phone.kept == [("Q08", "Pak Anu"), ("Q10", "cerita saya panjang")]


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    ("line", "story"),
    [
        (f"LAPOR {STORY}", STORY),
        (f"lapor: {STORY}", STORY),
        (f"Lapor,\n{STORY}", STORY),
        (f"REPORT {STORY}", STORY),
        (f"/lapor@desa_bot {STORY}", STORY),
    ],
)
def test_one_line_is_a_report_at_once(channel, line, story):
    phone = Phone(channel).say(line)
    assert phone.said == ["SENT"]
    assert phone.kept == [("Q10", story)]
    assert phone.command
    assert phone.command.name is CommandName.SUBMIT
    assert not phone.state.has_draft


def test_one_english_line_is_answered_in_english():
    assert sms().say("REPORT they sold the cars").state == State(
        language="en", chosen=True
    )
    assert telegram().media("", text="REPORT they sold the cars").state.language == "en"


def test_a_story_without_lapor_is_told_how_to_begin():
    for story in (
        "Tolong pak, ada pungli di sekolah",
        "Baca koran hari ini ada korupsi",
    ):
        assert sms().say(story).said == ["NOTKEPT"]
    assert sms().say("STATUS 7K3M9QX yang kemarin saya kirim").said == ["Q22"]


def test_words_after_add_or_answer_are_kept_at_once():
    phone = sms().plainly(may_add=True).say("TAMBAH saksinya Pak Anu", "dan Bu Anu")
    assert phone.kept == [("Q23", "saksinya Pak Anu"), ("Q23", "dan Bu Anu")]
    held = (
        telegram().say("LAPOR").plainly(may_add=True).say("Jawab: hari Senin di kantor")
    )
    assert held.kept == [("Q25", "hari Senin di kantor")]
    assert held.say("SELESAI").said == ["THANKS", "Q02"]
    assert sms().say("TAMBAH saksinya Budi").said == ["Q22"]


def test_a_line_too_short_to_be_a_report_begins_one():
    assert sms().say("LAPOR pak kades").said == ["Q02"]


def test_a_photo_with_a_one_line_caption_is_a_report_with_a_file():
    phone = telegram().media("", "X04", text=f"LAPOR {STORY}")
    assert phone.said == ["X04", "SENT"]
    assert phone.kept == [("Q10", STORY), ("Q15", ""), ("Q15", "")]
    assert [item.media for item in phone.items] == [None, 0, 1]


def test_a_story_that_begins_with_a_keyword_is_a_story():
    phone = at_story(telegram()).say("Lapor pak, kades korupsi dana desa")
    assert phone.kept == [("Q10", "Lapor pak, kades korupsi dana desa")]
    assert phone.command is None


def test_a_place_that_looks_like_a_keyword_is_a_place():
    phone = at_story(telegram()).say(STORY, "SELESAI", "Batam")
    assert phone.kept[-1] == ("Q11", "Batam")


def test_only_what_happened_is_required():
    phone = sms().say("LAPOR")
    assert phone.say("KIRIM").said == ["NEEDGATE", "Q02"]
    phone.say("ya", "ya", "ya")
    assert phone.say("KIRIM").said == ["NEEDSTORY", "Q10"]
    assert phone.say("SELESAI").said == ["NEEDSTORY", "Q10"]
    assert phone.say(STORY, "KIRIM").said == ["SENT"]
    assert sms().say("KIRIM").said == ["NODRAFT"]


def test_consent_cannot_be_skipped_but_everything_else_can():
    phone = sms().say("LAPOR", "LEWAT")
    assert phone.said == ["Q02"]
    phone.say("ya", "ya", "LEWAT")
    assert phone.state.step == "Q04"
    phone.say("ya")
    while phone.state.step != "Q10":
        phone.say("LEWAT")
    phone.say(STORY, "SELESAI")
    while phone.state.step != "Q19":
        phone.say("SKIP")
    assert set(phone.state.answers) == {"Q02", "Q03", "Q04"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("LAPOR", "nanti saja"), ["X09"]),
        (("LAPOR", "ya", "cara lain"), ["X08"]),
        (("LAPOR", "ya", "ya", "tidak"), ["X08"]),
        (("LAPOR", "ya", "ya", "BATAL"), ["X09"]),
    ],
)
def test_whoever_does_not_want_leaves_nothing(lines, said):
    phone = telegram().say(*lines)
    assert phone.said == said
    assert phone.command
    assert phone.command.name is CommandName.DISCARD
    assert phone.state == State(language="id", chosen=True)


def test_the_policy_is_shown_and_the_question_stays():
    phone = telegram().say("LAPOR", "1", "1", "3")
    assert phone.said == ["POLICY"]
    assert phone.say("setuju").said == ["Q05"]


def test_one_part_is_edited_and_gets_a_new_version():
    phone = at_review(sms())
    assert phone.say("UBAH").said == ["EDIT"]
    assert phone.say("3").said == ["Q10"]
    assert phone.say("Begini sebenarnya", "dan begitu", "SELESAI").said == ["Q19"]
    assert [(item.text, item.version) for item in phone.items] == [
        (STORY, 1),
        ("Begini sebenarnya", 2),
        ("dan begitu", 2),
    ]
    phone.say("UBAH", "kejadian", "SELESAI")
    assert phone.say("UBAH", "3", "Lagi").items[-1].version == 3


def test_becoming_known_at_review_asks_for_the_name():
    phone = at_review(telegram()).press("Ubah", "Nama", "Rahasia")
    assert phone.said == ["Q05b"]
    phone.say("Budi, 0812")
    assert phone.said == ["Q19"]
    assert phone.items[-1].kind is ItemKind.IDENTITY
    assert phone.items[-1].audience is Audience.IDENTITY


def test_edit_in_the_middle_returns_there():
    phone = at_story(telegram()).say(STORY, "SELESAI").say("UBAH", "instansi")
    assert phone.said == ["Q07"]
    assert phone.say("Dinas Y").said == ["Q11"]
    assert sms().say("UBAH").said == ["NODRAFT"]
    assert sms().say("LAPOR", "UBAH").said == ["NEEDGATE", "Q02"]


def test_a_button_of_an_older_question_changes_its_answer():
    phone = telegram().say("LAPOR", "1", "1", "1", "Anonim", "1")
    assert phone.press("Pengadaan").said == ["CHANGED", "Q07"]
    assert phone.state.answers["Q06"] == "PRC-02"
    assert phone.press("Rahasia").said == ["CHANGED", "Q05b"]
    assert phone.say("Budi").said == ["Q07"]


def test_a_button_of_another_draft_is_closed():
    phone = telegram().say("LAPOR")
    old = phone.button("Aman, lanjut").replace("tok_en-8", "an_other")
    assert phone.send(Kind.PRESS, press=old).said == ["X12", "Q02"]
    assert phone.say("BATAL").press("Aman, lanjut").said == ["X12"]


@pytest.mark.parametrize(
    "press",
    ["", "x", "..", "tok_en-8.Q99.YES", "tok_en-8.Q02.MAYBE", "tok_en-8.Q21.YES",
     "tok_en-8.Q26.YES", "-.Q02.YES", "-.EDIT.Q10", "-.Q26.YES", "\ud800.\udfff.x", "a.b.c.d"],
)  # fmt: skip
def test_a_button_that_is_none_of_the_open_question_s_changes_nothing(press):
    phone = telegram().say("LAPOR")
    before = phone.state
    assert phone.send(Kind.PRESS, press=press).said == ["X12", "Q02"]
    assert phone.state.answers == before.answers
    assert phone.state.step == "Q02"


def test_send_on_an_older_review_shows_the_new_one():
    phone = at_review(telegram())
    send = phone.button("Kirim")
    phone.press("Ubah", "Kejadian")
    assert phone.send(Kind.PRESS, press=send).said == ["Q19"]
    assert phone.send(Kind.PRESS, press=send).said == ["SENT"]


def test_number_and_code_open_the_status_from_any_state():
    phone = at_story(sms())
    phone.proving().say("STATUS 7K3M-9QXB 1234-5678-9012-3456")
    assert phone.said == ["OPENED", "HELD"]
    assert phone.command
    assert phone.command.name is CommandName.STATUS
    assert phone.kept == []
    assert phone.plainly().say("LANJUT").said == ["Q10"]


def test_number_and_code_are_asked_for():
    phone = sms().say("STATUS")
    assert phone.said == ["Q22"]
    assert wants_receipt(phone.state)
    phone.facts = phone.proving(Proof.NONE, may_add=False, number_only=True).facts
    assert phone.say("7K3M-9QXB").said == ["Q22C"]
    assert wants_receipt(phone.state)
    phone.plainly().proving()
    assert phone.say("1234-5678-9012-3456").said == ["OPENED"]
    assert not wants_receipt(phone.state)


@pytest.mark.parametrize(
    ("proof", "said"), [(Proof.WRONG, ["X02"]), (Proof.BUSY, ["BUSY"])]
)
def test_a_code_that_is_wrong_or_was_not_tried_is_told(proof, said):
    phone = sms().proving(proof, may_add=False)
    assert phone.say("STATUS 7K3M-9QXB 1").said == said
    assert phone.command is None
    assert wants_receipt(phone.state)


def test_read_then_answer():
    phone = telegram().proving().say("BACA 7K3M-9QXB 1234567890123456")
    assert phone.command
    assert phone.command.name is CommandName.READ
    assert [label for label, _ in phone.heard[0].buttons] == [
        "Tambah info",
        "Jawab",
        "Tarik",
    ]
    assert phone.plainly(may_add=True).press("Jawab").said == ["Q25"]
    assert phone.say("Hari Senin").said == ["ADDED"]
    assert phone.say("di kantor").said == []
    assert phone.media("").said == ["FILED"]
    assert phone.say("SELESAI").said == ["THANKS"]
    assert [(item.step, item.kind, item.to_case) for item in phone.items] == [
        ("Q25", ItemKind.REPLY, True)
    ] * 3


def test_an_answer_without_a_word_before_it_is_taken_too():
    phone = sms().proving().say("BACA 7K3M-9QXB 1234567890123456").plainly(may_add=True)
    assert phone.say("Hari Senin di kantor").said == ["ADDED"]
    assert phone.items[0].kind is ItemKind.REPLY
    assert phone.say("KIRIM").said == ["THANKS"]


def test_not_knowing_answers_an_officer_s_question():
    phone = sms().plainly(may_add=True).say("JAWAB", "TIDAKTAHU")
    assert phone.said == ["THANKS"]
    assert phone.kept == [("Q25", "TIDAKTAHU")]
    for language, label in [("id", "Tidak tahu"), ("en", "Do not know")]:
        pressed = telegram(language).plainly(may_add=True)
        pressed.send(Kind.PRESS, press="-.OPENED.ANSWER")
        pressed.send(Kind.PRESS, press="-.Q25.DONTKNOW")
        assert pressed.kept == [("Q25", label)]
    typed = whatsapp().plainly(may_add=True).say("JAWAB", "2")
    assert typed.kept == [("Q25", "Tidak tahu")]
    assert sms().plainly(may_add=True).say("JAWAB", "LEWAT").said == ["THANKS"]


def test_adding_works_for_fifteen_minutes():
    phone = sms().proving().say("TAMBAH 7K3M-9QXB 1234567890123456")
    assert phone.said == ["Q23"]
    assert (
        phone.plainly(may_add=True).say("Satu lagi").items[0].kind is ItemKind.ADDITION
    )
    phone.plainly().say("terlambat")
    assert phone.said == ["TIMEOVER", "Q22"]
    assert phone.kept == [("Q23", "Satu lagi")]
    phone.plainly(may_add=True).say("JAWAB").plainly().say("TIDAKTAHU")
    assert phone.said == ["TIMEOVER", "Q22"]


RECEIPT = "7K3M-9QXB 1234567890123456"
GIVEN = [
    ("TARIK", CommandName.WITHDRAW, "WITHDRAWN"),
    ("WITHDRAW", CommandName.WITHDRAW, "WITHDRAWN"),
    ("LUPAKAN SAYA", CommandName.FORGET, "FORGOTTEN"),
    ("HAPUS", CommandName.ERASE, "Q27"),
    ("BATASI", CommandName.RESTRICT, "RESTRICTED"),
    ("Lihat data", CommandName.ACCESS, "ACCESSED"),
    ("KABAR", CommandName.SUBSCRIBE, "SUBSCRIBED"),
    ("kabar: dengan isi", CommandName.SUBSCRIBE, "SUBFULL"),
    ("NEWS NO", CommandName.SUBSCRIBE, "SUBNONE"),
]


@pytest.mark.parametrize("phone", [sms, whatsapp])
@pytest.mark.parametrize(("words", "name", "said"), GIVEN)
def test_an_order_is_one_message_and_final(phone, words, name, said):
    one = phone().proving(whole=True).say(f"{words} {RECEIPT}")
    assert one.said == [said]
    assert one.command
    assert one.command.name is name
    from_before = phone().proving(whole=False).say(f"{words} 1234567890123456")
    assert from_before.command is None


@pytest.mark.parametrize(
    ("word", "how"),
    [
        ("TARIK", "Q26H"),
        ("LUPAKAN", "Q27FH"),
        ("HAPUS", "Q27CH"),
        ("HAK", "Q30H"),
        ("KABAR", "Q21H"),
        ("BATASI", "Q30H"),
    ],
)
@pytest.mark.parametrize("phone", [sms, telegram, whatsapp])
def test_an_order_alone_is_told_how_it_is_given(phone, word, how):
    one = phone().plainly(may_add=True).say(word)
    assert one.said == [how]
    for answer in ("YA", "1", "3"):
        assert one.say(answer).said == [how]
    assert one.command is None
    assert one.kept == []
    assert one.say("Saksinya Bu Ani di loket dua").said == ["ADDED"]
    numbered = phone().proving(Proof.NONE, may_add=False, number_only=True)
    assert numbered.say(f"{word} 7K3M-9QXB").said == [how]
    drafting = at_story(phone())
    assert drafting.say(word).said in ([how], ["ACCEPTED"], drafting.said)
    assert drafting.state.draft


@pytest.mark.parametrize(
    ("word", "asked", "button", "name", "said"),
    [
        ("TARIK", "Q26", "Ya, tarik", CommandName.WITHDRAW, "WITHDRAWN"),
        ("LUPAKAN", "Q27F", "Ya, lupakan", CommandName.FORGET, "FORGOTTEN"),
        ("HAPUS", "Q27C", "Seluruh laporan", CommandName.ERASE, "Q27"),
        ("HAK", "Q30", "Batasi pemakaian", CommandName.RESTRICT, "RESTRICTED"),
        ("KABAR", "Q21K", "Dengan isi", CommandName.SUBSCRIBE, "SUBFULL"),
    ],
)
def test_its_button_alone_answers_what_was_proved(word, asked, button, name, said):
    phone = telegram().proving(whole=True).say(f"{word} {RECEIPT}")
    assert phone.said == [asked]
    assert phone.command is None
    for typed in ("1", button):
        assert phone.plainly(may_add=True).say(typed).said == ["PRESSIT", asked]
        assert phone.command is None
    pressed = Phone(phone.channel, phone.state, shown=phone.shown)
    assert pressed.plainly(may_add=True).press(button).said == [said]
    assert pressed.command
    assert pressed.command.name is name
    late = Phone(phone.channel, phone.state, shown=phone.shown).plainly().press(button)
    assert late.said[0] == "TIMEOVER"
    assert late.command is None


def test_a_button_of_a_question_that_was_closed_takes_nothing():
    phone = telegram().proving(whole=True).say(f"TARIK {RECEIPT}")
    assert phone.plainly(may_add=True).say("TIDAK").said == ["KEPT"]
    assert phone.press("Ya, tarik").said == ["X12"]
    rights = telegram().proving(whole=True).say(f"HAK {RECEIPT}")
    rights.plainly(may_add=True).press("Tidak jadi")
    assert rights.press("Lupakan saya").said == ["Q30H"]
    assert rights.command is None


def test_erasing_names_the_day():
    phone = sms().proving(whole=True)
    phone.facts = replace(phone.facts, promises=Promises({"erase": "15/04/2026"}))
    phone.say(f"HAPUS {RECEIPT}")
    assert "15/04/2026" in phone.heard[0].text


def test_a_correction_is_kept_and_asked_once():
    phone = telegram().proving(whole=True).say(f"CORRECT {RECEIPT}")
    assert phone.said == ["Q31"]
    phone.plainly(may_add=True).say("Namanya Budi")
    assert phone.said == ["CORRECTING"]
    assert phone.command
    assert phone.command.name is CommandName.CORRECT
    more = phone.say("bukan Badu")
    assert more.said == []
    assert more.command is None
    assert phone.kept == [("Q31", "Namanya Budi"), ("Q31", "bukan Badu")]
    assert phone.say("SELESAI").said == ["THANKS"]
    late = sms().proving(whole=True).say(f"PERBAIKI {RECEIPT}").plainly().say("Namanya")
    assert late.said == ["TIMEOVER", "Q30H"]
    assert late.kept == []


def test_what_the_law_keeps_is_said():
    for word, said in (
        ("LUPAKAN", "FORGOTTEN"),
        ("TARIK", "WITHDRAWN"),
        ("HAPUS", "Q27"),
    ):
        phone = sms().proving(whole=True)
        phone.facts = replace(phone.facts, promises=Promises(held=True))
        assert phone.say(f"{word} {RECEIPT}").said == [said, "HELDBACK"]


def test_notices_are_asked_for_with_number_and_code():
    press = receipt_choices()[1].data
    phone = telegram().send(Kind.PRESS, press=press)
    assert phone.said == ["Q21H"]
    phone.proving(whole=True).say(f"KABAR {RECEIPT}")
    assert phone.said == ["Q21K"]
    assert phone.command is None
    for button, kind, said in [
        ("Kabar netral", Wanted.NEUTRAL, "SUBSCRIBED"),
        ("Dengan isi", Wanted.FULL, "SUBFULL"),
        ("Tanpa kabar", None, "SUBNONE"),
    ]:
        chose = Phone(phone.channel, phone.state, shown=phone.shown)
        chose.plainly(may_add=True).press(button)
        assert chose.said == [said]
        assert chose.command
        assert chose.command.name is CommandName.SUBSCRIBE
        assert chose.command.notify is kind

    noted = telegram().send(Kind.PRESS, press=receipt_choices()[0].data)
    assert noted.said == ["KEEP"]


def test_files_places_and_cards_are_evidence_at_any_step():
    phone = telegram().say("LAPOR")
    assert phone.media("", "", text="kuitansi").said == ["FILED"]
    phone.send(Kind.LOCATION, text="-1.6, 103.6").send(
        Kind.CONTACT, text="Pak Anu +62811"
    )
    assert phone.kept == [
        ("Q15", "kuitansi"),
        ("Q15", ""),
        ("Q15", "-1.6, 103.6"),
        ("Q15", "Pak Anu +62811"),
    ]
    assert [item.media for item in phone.items] == [0, 1, None, None]
    assert phone.state.step == "Q02"


def test_a_place_answers_where():
    phone = (
        at_story(telegram())
        .say(STORY, "SELESAI")
        .send(Kind.LOCATION, text="-1.6, 103.6")
    )
    assert phone.kept[-1] == ("Q11", "-1.6, 103.6")
    assert phone.said == ["Q12"]


def test_a_caption_under_the_story_question_is_the_story():
    phone = at_story(telegram()).media("", text=STORY)
    assert phone.kept == [("Q10", STORY), ("Q15", "")]
    assert phone.said == ["FILED", "MORE"]
    assert phone.say("KIRIM").said == ["SENT"]


def test_an_album_is_acknowledged_once():
    phone = telegram().say("LAPOR")
    assert phone.media("", group="g").said == ["FILED"]
    assert phone.media("", group="g").said == []
    assert phone.media("", group="h").said == ["FILED"]
    assert len(phone.items) == 3


def test_what_cannot_be_taken_is_answered_with_the_reason():
    phone = telegram().say("LAPOR").media("X04", "X04", "")
    assert phone.said == ["X04", "FILED"]
    assert [item.media for item in phone.items] == [0, 1, 2]
    assert "20 MB" in phone.heard[0].text
    captioned = whatsapp().say("LAPOR").media("X04", text="lihat")
    assert (captioned.said, captioned.kept) == (["X04", "FILED"], [("Q15", "lihat")])
    alone = telegram().say("LAPOR").media("X04")
    assert (alone.said, alone.state.filled) == (["X04"], ())
    assert telegram().media("").said == ["FILE0"]
    assert telegram().send(Kind.UNSUPPORTED).said == ["X13"]
    assert telegram().say("LAPOR").send(Kind.LOCATION).said == ["X13"]


def test_the_sender_s_own_card_is_sealed_for_the_custodians():
    phone = telegram().say("LAPOR").send(Kind.CONTACT, text="self: Budi +62812")
    assert phone.said == ["IDENTITY", "NOWCONF"]
    assert phone.items[0].text == "Budi +62812"
    assert phone.items[0].audience is Audience.IDENTITY
    assert phone.state.answers["Q05"] == "CONF"
    asked = telegram().say("LAPOR", "1", "1", "1", "Rahasia")
    assert asked.send(Kind.CONTACT, text="self: Budi").said == ["IDENTITY", "Q06"]
    anonymous = at_story(telegram()).send(Kind.CONTACT, text="self: Budi")
    assert anonymous.said == ["IDENTITY", "NOWCONF"]
    assert "UBAH, lalu NAMA, lalu ANONIM" in anonymous.heard[1].text
    anonymous.say("UBAH", "NAMA", "ANONIM")
    assert anonymous.state.answers["Q05"] == "ANON"
    assert anonymous.said == ["Q10"]
    later = telegram().plainly(may_add=True).send(Kind.CONTACT, text="self: Budi")
    assert later.items[0].to_case
    assert later.items[0].audience is Audience.IDENTITY


def test_files_go_to_the_open_case_after_number_and_code():
    phone = telegram().plainly(may_add=True).media("", text="kuitansi")
    assert [(item.step, item.to_case) for item in phone.items] == [("Q23", True)]
    both = telegram().proving().media("", text="TAMBAH 7K3M-9QXB 1234567890123456")
    assert both.said == ["Q23", "FILED"]
    assert both.kept == [("Q23", "")]
    status = telegram().proving().media("", text="7K3M-9QXB 1234567890123456")
    assert status.command
    assert status.items[0].to_case
    wrong = telegram().proving(Proof.WRONG, may_add=False)
    assert wrong.media("", text="7K3M-9QXB 1").said == ["X02", "FILE0"]
    assert wrong.kept == []


def test_an_edited_message_is_kept_beside_the_first_wording():
    phone = at_story(telegram()).say(STORY)
    told = phone.count
    phone.send(Kind.EDIT, text="Begini", message_id=told)
    assert phone.said == ["EDITED"]
    last = phone.items[-1]
    assert (last.step, last.kind, last.version) == ("Q10", ItemKind.EDIT, 1)
    assert phone.send(Kind.EDIT, text="Begini", message_id=999).said == ["EDIT0"]
    assert phone.send(Kind.EDIT, text=" ", message_id=told).said == ["EDIT0"]


def test_an_edited_name_stays_with_the_custodians():
    phone = telegram().say("LAPOR", "1", "1", "1", "Rahasia", "Budi")
    phone.send(Kind.EDIT, text="Budi Santoso", message_id=phone.count)
    assert phone.items[-1].audience is Audience.IDENTITY


def test_an_edited_addition_needs_the_proof_still():
    phone = telegram().plainly(may_add=True).say("TAMBAH", "lagi")
    told = phone.count
    assert (
        phone.send(Kind.EDIT, text="lagi dan lagi", message_id=told).items[-1].to_case
    )
    assert phone.plainly().send(Kind.EDIT, text="x", message_id=told).said == ["EDIT0"]
    edited = phone.proving().send(
        Kind.EDIT, text="7K3M-9QXB 1234567890123456", message_id=told
    )
    assert edited.turn.items == ()
    assert edited.command


def test_language_is_chosen_and_kept():
    phone = sms().say("BAHASA")
    assert phone.said == ["Q29"]
    assert phone.say("2").said == ["Q01"]
    assert phone.state == State(language="en", chosen=True, menu="Q01")
    assert phone.say("ID").state.language == "id"
    draft = sms().say("LAPOR", "LANG", "English")
    assert draft.said == ["Q02"]
    assert draft.state.language == "en"
    hint = Phone().send(Kind.TEXT, text="?", language_hint="en-GB")
    assert hint.state.language == "en"
    assert (
        telegram("en").send(Kind.TEXT, text="?", language_hint="id").state.language
        == "id"
    )
    chosen = telegram().say("EN").send(Kind.TEXT, text="?", language_hint="id")
    assert chosen.state.language == "en"
    assert sms().say("Lapor", "EN", "BAHASA", "1").state.language == "id"


def test_stop_ends_everything():
    phone = telegram().say("LAPOR", "STOP")
    assert phone.said == ["STOPPED"]
    assert phone.command
    assert phone.command.name is CommandName.UNSUBSCRIBE
    assert not phone.state.has_draft
    for kind in (Kind.BLOCKED, Kind.OPT_OUT):
        gone = telegram().say("LAPOR").send(kind)
        assert gone.said == []
        assert gone.command
        assert not gone.state.has_draft
    assert sms().send(Kind.OPT_IN).said == ["AGAIN", "Q01"]
    assert telegram().say("LAPOR").send(Kind.UNBLOCKED).said == ["Q02"]


def test_group_help_pause_and_nothing_to_cancel():
    assert telegram().send(Kind.GROUP, text="hai").said == ["X14"]
    assert sms().say("BANTUAN").said == ["Q28"]
    assert telegram().say("LAPOR", "JEDA").said == ["PAUSED"]
    assert telegram().say("JEDA").said == ["NODRAFT"]
    assert telegram().say("BATAL").said == ["LEFT"]


def test_what_is_not_understood_is_answered_and_helped_the_third_time():
    phone = telegram().say("LAPOR", "apa ya").say("hmm")
    assert phone.said == ["X01", "Q02"]
    assert phone.say("???").said == ["X01H"]
    assert phone.say("ya").state.unclear == 0
    assert sms().say("LAPOR", "ya", "ya", "ya", "apa ya").said == ["X01"]
    assert sms().say("aaa", "bbb", "ccc").said == ["X01N"]
    assert sms().say("saya mau lapor pak kades itu").said == ["NOTKEPT"]
    assert sms().say("\u200b \u2060").said == ["Q01"]
    assert sms().say("LAPOR", "\u200b \u2060").said == ["Q02"]
    assert sms().say("SEND").said == ["NODRAFT"]
    assert sms().say("STATSU").said == ["Q22"]


def test_a_draft_goes_on_where_it_was_after_a_restart():
    phone = at_story(telegram()).say(STORY)
    again = Phone(
        Channel.TELEGRAM, State.from_json(phone.state.to_json()), count=phone.count
    )
    assert again.say("LAPOR").said == ["Q10"]
    assert again.say("KIRIM").said == ["SENT"]


def test_an_expired_draft_is_told():
    phone = at_story(telegram())
    phone.proving(Proof.NONE, may_add=False, resumed_expired=True)
    assert phone.say("dan lagi").said == ["X06"]
    assert not phone.state.has_draft
    phone = at_story(telegram())
    phone.proving(Proof.NONE, may_add=False, resumed_expired=True)
    assert phone.say("LAPOR").said == ["X06", "Q02"]
    phone = at_story(telegram()).proving(
        Proof.NONE, may_add=False, resumed_expired=True
    )
    assert phone.send(Kind.BLOCKED).said == []


def test_lone_surrogates_can_be_sealed():
    phone = at_story(telegram()).say("uang \ud800 lagi")
    phone.items[0].text.encode()


def test_a_file_message_without_a_file_is_a_text():
    phone = at_story(telegram()).send(Kind.MEDIA, text=STORY)
    assert phone.kept == [("Q10", STORY)]


def test_an_unknown_step_in_an_old_state_is_no_dead_end():
    phone = telegram()
    phone.state = State(draft="tok_en-8", step="Q77")
    assert phone.say("halo").said == ["Q02"]
    gates = {"Q02": "YES", "Q03": "YES", "Q04": "YES"}
    phone.state = State(draft="tok_en-8", step="Q77", back="Q78", answers=gates)
    assert phone.say(STORY, "KIRIM").said == ["SENT"]
    phone.state = State(draft="tok_en-8", step="Q79", held="Q11")
    assert phone.say("Kantor desa").said == ["Q12"]


def test_advance_does_not_change_what_it_is_given():
    state = State(language="id")
    incoming = Incoming(
        Channel.SMS, "h", "1", NOW, Kind.TEXT, text="LAPOR", media=(Media("x"),)
    )
    advance(state, incoming, book(), telegram().facts)
    assert state == State(language="id")
    assert texts().languages == ("id", "en")
