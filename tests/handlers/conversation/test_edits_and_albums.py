"""Edits of whatever was sent, and the parts of albums: kept, told once, refused honestly."""

import pytest

from handlers.messages import Kind, Media
from storage.words import Audience, ItemKind
from tests.support.talking import telegram

TO_STORY = ("LAPOR", "1", "1", "1", "1", "1", "LEWAT", "LEWAT", "7")
TO_AGENCY = TO_STORY[:6]


def photo(unique: str) -> tuple[Media, ...]:
    return (Media("F", same=unique),)


def test_a_photo_that_is_replaced_is_kept_beside_the_old_one() -> None:
    phone = telegram().say(*TO_STORY)
    phone.send(Kind.MEDIA, media=photo("a"), text="")
    first = phone.count
    phone.send(Kind.EDIT, media=photo("a"), text="kuitansi", message_id=first)
    assert [(item.text, item.media) for item in phone.items[-1:]] == [
        ("kuitansi", None)
    ]
    phone.send(Kind.EDIT, media=photo("b"), text="kuitansi", message_id=first)
    assert [(item.text, item.media, item.kind) for item in phone.items[-2:]] == [
        ("kuitansi", None, ItemKind.EDIT),
        ("", 0, ItemKind.EDIT),
    ]
    count = len(phone.items)
    phone.send(Kind.EDIT, media=photo("b"), message_id=first)
    assert (phone.said, len(phone.items)) == (["EDIT0"], count)


def test_the_caption_of_a_name_is_edited_as_a_name() -> None:
    phone = telegram().say("LAPOR", "1", "1", "1", "2")
    phone.send(Kind.MEDIA, media=photo("a"), text="Siti, Jalan Contoh")
    first = phone.count
    phone.send(Kind.EDIT, media=photo("a"), text="Siti Aminah", message_id=first)
    assert phone.items[-1].audience is Audience.IDENTITY


@pytest.mark.parametrize("word", ["LAPOR", "1", "BATAL"])
def test_an_edit_of_a_keyword_or_a_choice_is_refused_honestly(word: str) -> None:
    phone = telegram().say("LAPOR", "1", word)
    phone.send(Kind.EDIT, text="2", message_id=phone.count)
    assert phone.said == ["EDIT0"]


def test_an_edit_before_its_message_or_after_its_report_is_refused_honestly() -> None:
    phone = telegram().say(*TO_STORY)
    phone.send(Kind.EDIT, text="dia minta emas", message_id=99)
    assert phone.said == ["EDIT0"]
    phone.send(Kind.TEXT, text="dia minta uang", message_id=99)
    assert phone.kept[-1] == ("Q10", "dia minta uang")
    phone.say("KIRIM").send(Kind.EDIT, text="dia minta emas", message_id=99)
    assert phone.said == ["EDIT0"]


def test_an_edit_of_a_draft_that_was_thrown_away_is_refused() -> None:
    phone = telegram().say(*TO_STORY, "dia minta uang")
    first = phone.count
    phone.say("BATAL").send(Kind.EDIT, text="dia minta emas", message_id=first)
    assert (phone.said, phone.command) == (["EDIT0"], None)


def test_two_albums_at_once_are_told_once_each() -> None:
    phone = telegram().say(*TO_STORY)
    said = [phone.media("", group=group).said for group in ("8", "9", "8", "9", "8")]
    assert said == [["FILED"], ["FILED"], [], [], []]


def test_an_album_with_a_text_between_its_parts_is_told_once() -> None:
    phone = telegram().say(*TO_STORY).media("", group="9")
    phone.say("dia minta uang")
    assert phone.media("", group="9").said == []


def test_an_album_whose_first_part_is_too_large_is_told_of_the_others() -> None:
    for phone in (telegram().say(*TO_STORY), telegram().plainly(may_add=True)):
        said = [phone.media(why, group="9").said for why in ("X04", "", "")]
        assert said == [["X04"], ["FILED"], []]


def test_a_photo_that_is_replaced_by_too_large_a_one_is_refused_once() -> None:
    phone = telegram().say(*TO_STORY)
    phone.send(Kind.MEDIA, media=photo("a"), text="")
    first = phone.count
    large = (Media("F", same="b", refused="X04"),)
    phone.send(Kind.EDIT, media=large, message_id=first)
    assert (phone.said, phone.items[-1].media) == (["X04"], 0)
    phone.send(Kind.EDIT, media=large, text="kuitansi", message_id=first)
    assert (phone.said, phone.items[-1].text) == (["EDITED"], "kuitansi")


def test_an_album_without_a_report_is_refused_once() -> None:
    phone = telegram()
    said = [phone.media("", group="9").said for _ in range(3)]
    assert said == [["FILE0"], [], []]


def test_of_an_albums_captions_one_answers_a_short_question() -> None:
    phone = telegram().say(*TO_AGENCY)
    phone.media("", group="9")
    phone.media("", group="9", text="Dinas Perizinan")
    phone.media("", group="9", text="halaman dua")
    assert phone.state.step == "Q08"
    assert (phone.kept[-3:]) == [
        ("Q07", "Dinas Perizinan"),
        ("Q15", ""),
        ("Q15", "halaman dua"),
    ]
