"""What answers no open question: quotes, late parts of an album, places that move."""

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.messages import CommandName, Kind, Proof
from handlers.talk.turn import Facts, Item
from handlers.talk.unprompted import LIVE
from storage.words import Audience, ItemKind, Mark
from tests.support.talking import NOW, TOKEN, Phone, telegram, whatsapp

CASE = "7K3M-9QXB"
TO_STORY = ("LAPOR", "1", "1", "1", "1", "1", "LEWAT", "LEWAT", "7")
TO_AGENCY = TO_STORY[:6]


def quoting(phone: Phone) -> Phone:
    """Let the next messages be replies to a notice about a case."""
    phone.facts = replace(phone.facts, quoted=CASE)
    return phone


@pytest.mark.parametrize(
    ("before", "told"),
    [
        pytest.param((), "QUOTED", id="nothing is open"),
        pytest.param(TO_AGENCY, "QUOTEDDRAFT", id="a short question is open"),
        pytest.param(TO_STORY, "QUOTEDDRAFT", id="the story is being told"),
        pytest.param((*TO_STORY, "TAMBAH"), "QUOTEDDRAFT", id="a code is awaited"),
        pytest.param(("STATUS",), "QUOTED", id="a code is awaited without a draft"),
        pytest.param((*TO_STORY, "UBAH"), "QUOTEDDRAFT", id="the edit menu is open"),
    ],
)
@pytest.mark.parametrize("words", ["Selalu setelah makan siang", "1", "Ya", "7 juta"])
def test_a_quoted_notice_names_its_case_whatever_is_open(
    before: tuple[str, ...], told: str, words: str
) -> None:
    phone = telegram().say(*before)
    state, kept = phone.state, len(phone.items)
    quoting(phone).say(words)
    assert phone.said == [told]
    (item,) = phone.items[kept:]
    assert (item.text, item.kind, item.to_case, item.beside) == (
        words,
        ItemKind.REPLY,
        True,
        True,
    )
    assert phone.state == state


@pytest.mark.parametrize(
    ("word", "said", "command"),
    [
        ("STATUS", "Q22", None),
        ("BERHENTI", "STOPPED", CommandName.UNSUBSCRIBE),
        ("BANTUAN", "Q28", None),
        ("BACA", "Q22", None),
        ("Terima kasih", "POLITE", None),
    ],
)
def test_a_keyword_keeps_its_meaning_in_a_quoted_reply(
    word: str, said: str, command: CommandName | None
) -> None:
    phone = quoting(whatsapp()).say(word)
    assert phone.said[0] == said
    assert phone.items == []
    assert (phone.command.name if phone.command else None) == command


def test_a_quoted_reply_that_begins_with_a_keyword_is_an_answer() -> None:
    phone = quoting(telegram()).say("Mulai jam 9 pagi, tiap hari", "JAWAB dua orang")
    assert [text for _, text in phone.kept] == [
        "Mulai jam 9 pagi, tiap hari",
        "dua orang",
    ]


def test_a_number_in_a_quoted_answer_is_no_question_of_a_code() -> None:
    phone = quoting(telegram()).proving(Proof.NONE, may_add=False, number_only=True)
    phone.say(f"ini soal {CASE}, dua orang")
    assert phone.said == ["QUOTED"]
    phone.say(f"STATUS {CASE}")
    assert phone.said == ["Q22C"]


def test_a_receipt_in_a_quoted_reply_is_tried_and_never_kept() -> None:
    phone = quoting(telegram()).proving(Proof.OPENED)
    phone.say(f"BACA {CASE} 1234-5678-9012-3452")
    assert phone.items == []
    assert phone.command is not None
    assert phone.command.name is CommandName.READ


def test_files_places_and_cards_go_to_the_quoted_case() -> None:
    phone = quoting(telegram())
    phone.media("", text="ini amplopnya")
    phone.send(Kind.LOCATION, text="-6.2,106.8")
    phone.send(Kind.CONTACT, text="Budi, +620000000002")
    assert [item.text for item in phone.items] == [
        "ini amplopnya",
        "-6.2,106.8",
        "Budi, +620000000002",
    ]
    assert all(item.beside and item.step == "Q25" for item in phone.items)
    phone.send(Kind.CONTACT, text="self: Siti, +620000000001")
    assert phone.items[-1].audience is Audience.IDENTITY
    assert phone.items[-1].beside
    assert phone.said == ["QUOTED"]


def test_a_quoted_file_that_is_too_big_is_refused() -> None:
    phone = quoting(telegram()).media("X04")
    assert phone.said == ["X04"]
    assert [(item.media, item.beside) for item in phone.items] == [(0, True)]


def test_an_album_that_quotes_is_told_once() -> None:
    phone = quoting(telegram())
    said = [phone.media("", group="9").said for _ in range(4)]
    assert said == [["QUOTED"], [], [], []]
    assert len(phone.items) == 4


def test_an_edit_of_a_quoted_reply_is_another_version() -> None:
    phone = quoting(telegram()).say("setelah makan siang")
    phone.send(Kind.EDIT, text="setelah salat Jumat", message_id=1)
    assert phone.said == ["EDITED"]
    assert phone.items[-1].kind is ItemKind.EDIT
    assert phone.items[-1].beside
    phone.send(Kind.EDIT, text="STATUS", message_id=1)
    assert phone.said == ["EDIT0"]


def test_an_edit_of_an_answer_that_quotes_stays_with_the_answer() -> None:
    phone = telegram().say(*TO_STORY, "dia minta uang")
    message = phone.count
    quoting(phone).send(Kind.EDIT, text="dia minta emas", message_id=message)
    assert (phone.items[-1].step, phone.items[-1].beside) == ("Q10", False)


def test_a_quote_that_leads_nowhere_is_none() -> None:
    phone = telegram().say(*TO_STORY).say("dia minta uang")
    phone.send(Kind.TEXT, text="dan emas", quotes="77")
    assert phone.kept[-1] == ("Q10", "dan emas")


def test_late_parts_of_an_album_that_sent_a_report_join_it_in_silence() -> None:
    phone = telegram()
    phone.media("", text="LAPOR dia minta uang terus", group="9")
    assert phone.said == ["SENT"]
    phone.facts = replace(phone.facts, late_part=True)
    phone.media("", group="9", text="halaman dua")
    assert phone.said == []
    last = phone.items[-1]
    assert (last.kind, last.text, last.beside) == (
        ItemKind.ADDITION,
        "halaman dua",
        True,
    )


def moving(
    phone: Phone, minutes: float, *, live: bool = True, message_id: int
) -> list[Item]:
    """Let an update of a live location come after so many minutes; return what is kept."""
    phone.facts = replace(phone.facts, now=NOW + timedelta(minutes=minutes))
    before = len(phone.items)
    place = f"-6.{minutes},106.8"
    phone.send(Kind.MOVED, text=place, message_id=message_id, live=live)
    assert phone.said == []
    return phone.items[before:]


def test_a_live_location_is_kept_first_last_and_now_and_then() -> None:
    phone = telegram().say(*TO_STORY)
    phone.send(Kind.LOCATION, text="-6.2,106.8", live=True)
    assert phone.said == ["FILED"]
    first = phone.count
    kept = [
        minute / 10
        for minute in range(1, 1200)
        if moving(phone, minute / 10, message_id=first)
    ]
    assert kept == [float(LIVE.minutes * n) for n in range(1, 12)]
    (last,) = moving(phone, 120.5, live=False, message_id=first)
    assert (last.kind, last.step) == (ItemKind.EDIT, "Q15")
    assert not moving(phone, 300, live=False, message_id=first)
    phone.facts = Facts(NOW, TOKEN)
    assert phone.say("SELESAI").said != []


def test_a_live_location_that_never_ends_is_kept_so_often_at_most() -> None:
    phone = telegram().say(*TO_STORY)
    phone.send(Kind.LOCATION, text="-6.2,106.8", live=True)
    first = phone.count
    kept = sum(
        bool(moving(phone, minutes, message_id=first))
        for minutes in range(10, 24 * 60, 10)
    )
    assert kept == LIVE.most


def test_a_place_that_moves_and_is_unknown_is_passed_over_in_silence() -> None:
    for before in ((), TO_STORY):
        assert not moving(telegram().say(*before), 60, message_id=4711)


def test_a_live_place_that_answers_the_question_of_a_place_moves_too() -> None:
    phone = telegram().say(*TO_STORY, "dia minta uang", "SELESAI")
    assert phone.state.step == "Q11"
    phone.send(Kind.LOCATION, text="-6.2,106.8", live=True)
    (item,) = moving(phone, 10, message_id=phone.count)
    assert (item.step, item.kind) == ("Q11", ItemKind.EDIT)


def test_a_live_place_of_a_quoted_reply_moves_in_that_case() -> None:
    phone = quoting(telegram()).send(Kind.LOCATION, text="-6.2,106.8", live=True)
    (item,) = moving(phone, 10, message_id=phone.count)
    assert (item.beside, item.kind) == (True, ItemKind.EDIT)


@pytest.mark.parametrize("mark", [Mark.FORWARDED, Mark.OFTEN_FORWARDED])
@pytest.mark.parametrize("words", ["Batal", "KIRIM", "1", "Ya", "BERHENTI", "selesai"])
def test_forwarded_words_never_choose_send_or_delete(mark: Mark, words: str) -> None:
    for before, step in ((TO_AGENCY, "Q15"), (TO_STORY, "Q10"), (TO_STORY[:3], "Q15")):
        phone = telegram().say(*before)
        at = phone.state.step
        phone.send(Kind.TEXT, text=words, marks=(mark,))
        assert phone.kept[-1] == (step, words)
        assert (phone.state.step, phone.command) == (at, None)


def test_a_forwarded_name_is_kept_as_a_name() -> None:
    phone = telegram().say("LAPOR", "1", "1", "1", "2")
    assert phone.state.step == "Q05b"
    phone.send(Kind.TEXT, text="Siti, Jalan Contoh", marks=(Mark.FORWARDED,))
    assert phone.items[-1].audience is Audience.IDENTITY


def test_a_forwarded_receipt_still_opens_its_case() -> None:
    phone = telegram().proving(Proof.OPENED)
    phone.send(Kind.TEXT, text=f"{CASE} 1234", marks=(Mark.FORWARDED,))
    assert phone.command is not None
    assert phone.items == []


def test_forwarded_words_are_added_to_an_opened_case() -> None:
    phone = telegram().plainly(may_add=True)
    phone.send(Kind.TEXT, text="Batal", marks=(Mark.FORWARDED,))
    assert (phone.items[-1].text, phone.items[-1].to_case) == ("Batal", True)


def test_an_sms_of_which_a_part_is_missing_is_asked_for_again() -> None:
    phone = telegram().say(*TO_STORY)
    phone.send(Kind.TEXT, text="dan kemudian dia", marks=(Mark.INCOMPLETE,))
    assert phone.said == ["INCOMPLETE", "MORE"]
