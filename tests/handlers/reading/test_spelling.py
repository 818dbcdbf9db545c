"""A message becomes the same words in whatever spelling."""

import pytest

from handlers.reading.lexicon import Lexicon
from handlers.reading.spelling import folded, plain

SPELLER = Lexicon.load().speller

SPELLINGS = {
    "capitals": "BUPATI",
    "digits for letters": "BUP4T1",
    "repeated": "bupatiiii",
    "dotted": "b.u.p.a.t.i",
    "spaced": "b u p a t i",
    "starred": "b*pati",
    "at sign": "bup@ti",
    "letter missing": "bupti",
    "letters swapped": "buapti",
    "letter wrong": "bopati",
    "with an ending": "bupatinya",
    "run together": "pakbupati",
    "hash tag": "#bupatikorup",
    "SMS": "bup",
    "look-alikes": "bup\u0430t\u0456nya",
    "full width": "\uff42\uff55\uff50\uff41\uff54\uff49",
    "invisible letters": "bu\N{ZERO WIDTH SPACE}pati",
    "reduplicated": "bupati2",
}


@pytest.mark.parametrize("kind", SPELLINGS)
def test_every_spelling_is_the_same_word(kind: str) -> None:
    words = SPELLER.words(SPELLINGS[kind])
    assert any("bupati" in word for word in words)


KEPT = {
    "regency": ("kabupaten", "kabupaten"),
    "inspection": ("inspeksi", "inspeksi"),
    "quarter": ("gubernuran", "gubernuran"),
    "sum": ("50jt", "50jt"),
    "sum with a point": ("1.500", "150"),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_word_that_looks_alike_stays_itself(kind: str) -> None:
    written, word = KEPT[kind]
    assert [found[0] for found in SPELLER.words(written)] == [word]


SHORTHAND = {
    "SMS": ("yg dgn utk krn", ["yang", "dengan", "untuk", "karena"]),
    "several words": ("wabup", ["wakil", "bupati"]),
    "said twice": ("bagi-bagi uang", ["bagi", "uang"]),
    "with a figure two": ("kades2nya", ["kadesnya"]),
    "Javanese": ("njaluk duwit", ["minta", "duit"]),
    "Malay of Jambi": ("dak mintak pitih", ["tidak", "minta", "duit"]),
}


@pytest.mark.parametrize("kind", SHORTHAND)
def test_shorthand_is_written_out(kind: str) -> None:
    written, words = SHORTHAND[kind]
    assert [found[0] for found in SPELLER.words(written)] == words


def test_sentences_end_but_not_after_an_abbreviation() -> None:
    said = [word[0] for word in SPELLER.words("Yth. Bpk. Bupati. Kades, camat")]
    assert said == ["yth", "bapak", "bupati", ".", "kades", ",", "camat"]


def test_addresses_are_no_words() -> None:
    text = "lihat https://bupati.go.id/x dan bupati@contoh.id www.bupati.id"
    assert [word[0] for word in SPELLER.words(text)] == ["lihat", "dan"]


def test_letters_are_folded_and_repetition_is_nothing() -> None:
    assert folded("É") == "e"
    assert plain("koruppsiii") == "korupsi"
