"""The language in which the data says what people write."""

import pytest

from handlers.reading.phrases import GAP, Phrases, forms, grouped
from handlers.reading.spelling import STOP, Word

GROUPS = grouped({"money": ["uang", "dana desa"]})


def spoken(text: str) -> list[Word]:
    return [STOP if word == "." else (word,) for word in text.split()]


def learnt(text: str, *, backwards: bool = False) -> Phrases[str]:
    phrases: Phrases[str] = Phrases(backwards=backwards)
    phrases.add([text], "found", GROUPS)
    return phrases


FITS = {
    "a word": ("uang", "uang", 1),
    "two words": ("dana desa", "dana desa", 2),
    "either": ("bapak|ibu bupati", "ibu bupati", 2),
    "either of two words": ("stempel|tanda_tangan palsu", "tanda tangan palsu", 3),
    "root": ("setor~ uang", "menyetorkan uang", 2),
    "group": ("minta {money}", "minta uang", 2),
    "group of two words": ("minta {money}", "minta dana desa", 3),
    "no gap": ("minta .. uang", "minta uang", 2),
    "widest gap": ("minta .. uang", "minta lagi lagi lagi uang", 5),
    "two gaps": ("a .. b .. c", "a x b y c", 5),
    "back to a later word": ("a .. b c", "a b x b c", 5),
}


@pytest.mark.parametrize("kind", FITS)
def test_a_phrase_is_found_with_its_length(kind: str) -> None:
    phrase, text, length = FITS[kind]
    hits = learnt(phrase).at(spoken(text), 0)
    assert {(hit.length, hit.meaning) for hit in hits} == {(length, "found")}


@pytest.mark.parametrize("kind", FITS)
def test_the_same_phrase_is_found_from_its_end(kind: str) -> None:
    phrase, text, length = FITS[kind]
    words = spoken(text)
    hits = learnt(phrase, backwards=True).at(words, len(words) - 1)
    assert {hit.length for hit in hits} == {length}


FITS_NOT = {
    "other word": ("uang", "dana"),
    "cut off": ("dana desa", "dana"),
    "gap too wide": ("minta .. uang", "minta " + "x " * (GAP + 1) + "uang"),
    "gap over a full stop": ("minta .. uang", "minta . uang"),
    "order": ("minta uang", "uang minta"),
}


@pytest.mark.parametrize("kind", FITS_NOT)
def test_a_phrase_is_not_found(kind: str) -> None:
    phrase, text = FITS_NOT[kind]
    assert not learnt(phrase).at(spoken(text), 0)


REFUSED = {
    "empty": " ",
    "gap first": ".. uang",
    "gap last": "minta ..",
    "two gaps together": "minta .. .. uang",
    "no such group": "{nothing}",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_phrase_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"gap|no group"):
        learnt(REFUSED[kind])


ROOTS = {
    "s": ("setor", {"menyetor", "disetor", "setoran", "nyetor", "disetorkan"}),
    "p": ("potong", {"memotong", "dipotong", "potongan", "motong", "pemotongan"}),
    "k": ("korup", {"mengorup", "dikorup"}),
    "t": ("tarik", {"menarik", "narik", "ditarik", "tarikan"}),
    "vowel": ("ancam", {"mengancam", "diancam", "ngancam", "ancaman"}),
    "g": ("gelap", {"menggelapkan", "digelapkan", "penggelapan"}),
    "b": ("bocor", {"membocorkan", "dibocorkan", "bocoran"}),
    "c": ("curi", {"mencuri", "nyuri", "dicuri", "pencurian"}),
}


@pytest.mark.parametrize("kind", ROOTS)
def test_a_root_has_its_everyday_forms(kind: str) -> None:
    root, expected = ROOTS[kind]
    assert {form.replace("gg", "g") for form in expected} <= forms(root)
