"""The words of a report decide where it goes, beside the buttons; the stricter one counts."""

import json
from typing import Any

import pytest

from handlers.cases import submission
from storage.cases import cases, history, items
from storage.models import Case, Unit
from storage.units import above
from storage.words import ItemKind, Urgency
from tests.support.desk import Desk, desk
from tests.support.founded import Overseers, overseen
from tests.support.unsealing import secret_for

BEGIN = ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM")
STORY = "Kepala seksi minta uang sebelum izin keluar"
UNKNOWN, HEAD = "7", "1"


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


@pytest.fixture(autouse=True)
def overseers(here: Desk) -> Overseers:
    """Name two people above us."""
    with here.database.writing() as session:
        return overseen(session, here.keys)


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


ADDED = "Sebenarnya bupati yang menyuruh dan menerima uangnya"


def in_queue(here: Desk, overseers: Overseers) -> list[Case]:
    with here.database.reading() as session:
        return cases.queue_page(
            session, [overseers.unit.id], filters=cases.Filters(), limit=9
        )


def words_of(here: Desk, case: Case, unit: Unit, secret: bytes) -> list[str]:
    """Read a case with the secret of a unit that has one generation only."""
    with here.database.reading() as session:
        report = secret_for(session, here.keys, case.report, unit, secret)
        found = items.read(session, here.keys, case.report, report)
    return [one.content.text for one in found if one.content is not None]


def ours(here: Desk, case: Case) -> list[str]:
    return words_of(here, case, here.house.unit, here.house.unit_secret)


def events(here: Desk, case: Case) -> list[str]:
    with here.database.reading() as session:
        return [event.code for event in history.of_case(session, case.report)]


def test_an_addition_that_accuses_goes_above_alone(here: Desk, overseers: Overseers):
    case, slip = here.reports("501", "LAPOR Kepala seksi minta tiga juta")
    before = events(here, case), here.case(case.number)
    here.delivers()
    here.say("501", f"TAMBAH {slip}")
    here.say("501", ADDED)
    assert "Sudah" in here.delivers()[-1].text
    assert (events(here, case), here.case(case.number)) == before
    assert ADDED not in ours(here, case)
    (beside,) = in_queue(here, overseers)
    assert beside.position == "KDH"
    assert beside.reporter_key is None
    told = words_of(here, beside, overseers.unit, overseers.secret)
    assert ADDED in told
    assert f"{case.number} ({here.house.unit.name})" in told
    assert beside.number not in "".join(one.text for one in here.letters)


def test_an_addition_that_accuses_nobody_above_is_added(
    here: Desk, overseers: Overseers
):
    case, slip = here.reports("501", "LAPOR Kepala seksi minta tiga juta")
    here.say("501", f"TAMBAH {slip}")
    here.say("501", "Uangnya dibayar lewat bendahara")
    assert in_queue(here, overseers) == []
    assert "Uangnya dibayar lewat bendahara" in ours(here, case)


def test_what_is_added_above_stays_in_its_case(here: Desk, overseers: Overseers):
    case, slip = here.reports("501", ACCUSED["regent"])
    here.say("501", f"TAMBAH {slip}")
    here.say("501", ADDED)
    assert [one.number for one in in_queue(here, overseers)] == [case.number]


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
