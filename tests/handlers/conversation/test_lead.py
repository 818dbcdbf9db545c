"""The words of a report decide where it goes, beside the buttons; the stricter one counts."""

import json
from typing import Any

import pytest

from handlers.cases import submission
from storage.models import Case
from storage.units import above, memberships, units
from storage.words import ItemKind, Role, UnitKind, Urgency
from tests.support import founded
from tests.support.desk import Desk, desk

BEGIN = ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM")
STORY = "Kepala seksi minta uang sebelum izin keluar"
UNKNOWN, HEAD = "7", "1"


@pytest.fixture
def here(database, keys) -> Desk:
    """Return a house with a unit above us."""
    made = desk(database, keys)
    with database.writing() as session:
        unit = units.create(session, keys, "Above", UnitKind.HANDLING)
        first, second = (
            founded.person(session, keys, login, Role.SUPERVISOR)
            for login in ("ratna", "yusuf")
        )
        memberships.admit_first(session, keys, unit, first.officer)
        memberships.admit(
            session, keys, unit, second.officer, first.officer, first.secret
        )
        above.choose(session, keys, unit)
    return made


def is_above(here: Desk, case: Case) -> bool:
    with here.database.reading() as session:
        hidden = above.id_of(session, here.keys)
    assert case.unit in {hidden, here.house.unit.id}
    return case.unit == hidden


def told(
    here: Desk,
    *,
    category: str = "LAYANAN",
    who: str = "LEWATI",
    post: str = UNKNOWN,
    story: str = STORY,
    more: tuple[str, ...] = (),
) -> Case:
    """Report in the full talk, and write the receipt down."""
    for words in (*BEGIN, category, "LEWATI", who, post, story, "SELESAI", *more):
        here.say("555", words)
    here.say("555", "KIRIM")
    return here.case(here.receipt("555").number)


ACCUSED = {
    "regent": "LAPOR Bupati minta setoran 50 juta",
    "inspector": "LAPOR Inspektur kabupaten menerima uang",
    "mayor": "LAPOR Wali Kota Metro memutasi pegawai karena tidak setor",
    "nickname": "LAPOR pak bup minta fee proyek jalan",
    "misspelt": "LAPOR gubenur terima uang dr kontraktor",
    "aide": "LAPOR ajudan bupati minta uang ke kepala sekolah",
}
MENTIONED = {
    "addressee": "LAPOR Yth. Bapak Inspektur, kepala desa kami korupsi dana desa",
    "place": "LAPOR Kepala seksi minta uang di depan kantor bupati",
    "nobody of them": "LAPOR Kepala seksi minta tiga juta untuk izin",
}


@pytest.mark.parametrize("words", ACCUSED.values(), ids=ACCUSED)
def test_who_stands_above_never_gets_it(here: Desk, words: str):
    case, _ = here.reports("501", words)
    assert is_above(here, case)
    assert case.position in {"KDH", "UNK"}


@pytest.mark.parametrize("words", MENTIONED.values(), ids=MENTIONED)
def test_who_is_only_mentioned_changes_nothing(here: Desk, words: str):
    case, _ = here.reports("501", words)
    assert not is_above(here, case)


TALKS = {
    "in the answer to who": {"who": "Bupati dan ajudannya"},
    "in the story": {"story": "Bupati minta setoran tiap bulan lewat kepala dinas"},
    "by the button alone": {"post": HEAD},
}


@pytest.mark.parametrize("answers", TALKS.values(), ids=TALKS)
def test_the_stricter_of_word_and_button_counts(here: Desk, answers: dict[str, Any]):
    assert is_above(here, told(here, **answers))


def test_an_edit_takes_back_what_was_read(here: Desk):
    edited = ("UBAH", "SIAPA", "Kepala seksi perizinan")
    case = told(here, who="Bupati dan ajudannya", more=edited)
    parts = {
        item.content.text
        for item in here.reads(case)
        if item.content is not None and item.content.kind is ItemKind.ANSWER
    }
    assert "Kepala seksi perizinan" in parts
    assert not is_above(here, case)


def test_a_discarded_draft_leaves_no_reading(here: Desk):
    for words in (*BEGIN, "LAYANAN", "LEWATI", "Bupati dan ajudannya", "BATAL", "YA"):
        here.say("555", words)
    assert not is_above(here, told(here))


def test_words_tell_track_category_and_danger(here: Desk):
    bribe, _ = here.reports("501", "LAPOR Kepala seksi minta suap 5 juta")
    assert (bribe.track, bribe.category) == ("TPK", "COR")
    assert bribe.urgency == Urgency.NORMAL
    threat, _ = here.reports("502", "LAPOR Kepala seksi mengancam akan membunuh saya")
    assert threat.urgency == Urgency.URGENT


def test_officers_are_shown_what_was_read_as_a_suggestion(here: Desk):
    case, _ = here.reports("501", "LAPOR Kepala desa minta suap 5 juta")
    (choices,) = [
        item.content.text
        for item in here.reads(case)
        if item.content is not None and item.content.kind is ItemKind.CHOICES
    ]
    read = json.loads(choices)[submission.READ]
    assert read["position"] == "KDS"
    assert read["track"] == "TPK"


def test_nothing_is_told_to_the_reporter(here: Desk):
    here.reports("501", ACCUSED["regent"])
    here.reports("502", MENTIONED["nobody of them"])
    heads, others = (
        [letter.text for letter in here.letters if letter.to == handle]
        for handle in ("501", "502")
    )
    assert len(heads) == len(others)
    for one, other in zip(heads, others, strict=True):
        assert "upati" not in one
        assert len(one.split()) == len(other.split())
