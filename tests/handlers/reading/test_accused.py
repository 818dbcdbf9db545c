"""Who is accused, and from whom they are told apart."""

import pytest

from handlers.reading.accused import mentions, weigh
from handlers.reading.lexicon import Lexicon
from handlers.reading.reading import read

LEXICON = Lexicon.load()


def excused(text: str) -> list[str]:
    return [one.excused for one in mentions(LEXICON.speller.words(text), LEXICON)]


MEASURED_FAULT = {
    "a regent asks": ("LAPOR Bupati minta setoran 50 juta", "KDH"),
    "an inspector takes": ("LAPOR Inspektur kabupaten menerima uang", "INS"),
    "a mayor transfers": ("LAPOR Wali Kota Metro memutasi 12 pejabat", "KDH"),
    "a regent and his aide": ("Bupati dan ajudannya minta uang", "KDH"),
}


@pytest.mark.parametrize("kind", MEASURED_FAULT)
def test_what_went_to_its_own_office_is_read_now(kind: str) -> None:
    text, conflict = MEASURED_FAULT[kind]
    said = read(text, LEXICON)

    assert said.conflict == conflict
    assert said.position == conflict
    assert said.category != ""


TOLD_APART = {
    "addressee: by letter": (
        "Yth. Bapak Inspektur, kades kami potong BLT",
        "addressee",
    ),
    "addressee: to": ("kepada bapak bupati, tolong jalan diperbaiki", "addressee"),
    "addressee: asked": ("mohon pak inspektur tindak kades kami", "addressee"),
    "addressee: called": ("Pak Bupati, saya mau lapor camat", "addressee"),
    "addressee: English": ("Dear Mr Mayor, a clerk asked for money", "addressee"),
    "place: office": ("di kantor bupati petugas minta uang", "place"),
    "place: before it": ("di depan rumah dinas bupati ada juru parkir liar", "place"),
    "place: street": ("di jalan Gubernur Suryo polisi minta uang", "place"),
    "place: near": ("toko dekat inspektorat jual pupuk subsidi", "place"),
    "earlier report": ("sudah lapor ke Inspektorat, kades tetap", "earlier report"),
    "earlier report: met": ("kami menghadap bupati soal lurah", "earlier report"),
    "silent": ("bupati diam saja, kades tetap potong BLT", "silent"),
    "helper": ("bupati sudah menegur tapi kades tetap minta uang", "helper"),
    "helper: by them": ("camat ditegur bupati tapi masih minta uang", "helper"),
    "gift": ("bantuan dari gubernur dipotong kades", "gift"),
    "name abused": ("ada orang mencatut nama bupati", "name abused"),
    "wronged": ("kades menghina bupati di facebook", "wronged"),
    "audit": ("temuan inspektorat belum dikembalikan kades", "audit"),
    "decree": ("SK Bupati diabaikan kades", "decree"),
    "policy": ("kebijakan gubernur bagus, di bawah dimainkan", "decree"),
    "negated": ("bukan bupati, yang minta uang kades", "negated"),
    "negated: unknown to": ("kadis jual aset tanpa sepengetahuan bupati", "negated"),
    "event": ("kades minta iuran untuk kunjungan bupati", "event"),
}


@pytest.mark.parametrize("kind", TOLD_APART)
def test_who_is_only_mentioned_is_told_apart(kind: str) -> None:
    text, why = TOLD_APART[kind]

    assert why in excused(text)
    assert read(text, LEXICON).conflict is None


STILL_ACCUSED = {
    "gives to": "kontraktor kasih amplop kepada bupati",
    "asked to examine": "tolong periksa bupati kami",
    "to be examined": "mohon bupati diperiksa",
    "handed over at home": "uang setoran diantar ke rumah dinas bupati",
    "not only": "bukan bupati saja, sekda juga minta uang",
    "pretends": "bupati pura-pura tidak tahu padahal dia yang suruh",
    "warned, then took": "bupati sudah menegur kadis tapi malah minta bagian juga",
    "close to": "orang dekat bupati minta jatah",
    "sells the decree": "SK dijual bupati 50 juta per orang",
    "a helper where nobody else is accused": "bupati datang ke sekolah kami",
    "the office itself": "kantor bupati minta setoran tiap bulan",
    "told to one, of another": "Yth Bapak Inspektur, bupati kami meminta setoran",
    "reported to one, of another": "sudah lapor ke inspektorat, bupati minta uang",
    "list": "kades, camat, bupati semua minta uang",
}


@pytest.mark.parametrize("kind", STILL_ACCUSED)
def test_words_alike_excuse_nobody_who_acts(kind: str) -> None:
    assert "KDH" in read(STILL_ACCUSED[kind], LEXICON).conflicts


OTHERS = {
    "police rank": "polisi inspektur satu Budi minta uang tilang",
    "ceremony": "inspektur upacara menampar siswa",
    "central bank": "Gubernur Bank Indonesia menaikkan bunga",
    "soldier": "Mayor Inf Suparman menyerobot tanah saya",
    "audit board": "auditor BPK minta uang",
    "candidate": "kades ajak warga pilih calon bupati nomor 2",
    "regency": "Kabupaten kami kotor, tukang sampah minta uang",
    "web page": "lihat https://inspektorat.example.go.id/bupati soal kades",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_who_is_called_alike_is_no_head_and_no_inspector(kind: str) -> None:
    assert read(OTHERS[kind], LEXICON).conflict is None


def test_an_aide_alone_counts_once_a_head_is_named() -> None:
    said = read("di kantor bupati ajudannya minta uang, kades diam", LEXICON)
    assert excused("di kantor bupati ajudannya minta uang, kades diam") == ["place", ""]
    assert said.conflict == "KDH"
    assert read("ajudan kapolres minta uang", LEXICON).conflict is None


def test_both_classes_are_read_and_our_own_people_come_first() -> None:
    said = read("bupati dan inspektur sama-sama terima uang", LEXICON)

    assert said.conflicts == {"KDH", "INS"}
    assert said.conflict == "INS"


def test_in_a_flood_of_titles_nobody_is_excused() -> None:
    text = "di kantor bupati ada calo. "
    assert weigh(LEXICON.speller.words(text * 20), LEXICON).conflicts == frozenset()
    assert weigh(LEXICON.speller.words(text * 300), LEXICON).conflicts == {"KDH"}
