"""Which choice a typed answer means."""

import pytest

from handlers.questionnaire.choices import buttons, exact, nearest, read_press
from tests.support.talking import book


def means(step: str, typed: str, *, numbered: bool = True) -> str:
    option = exact(book().by_code[step], typed, book().keywords, numbered=numbered)
    return option.code if option else ""


@pytest.mark.parametrize(
    ("step", "code", "typed"),
    [
        ("Q06", "COR-01", ["2", " 2. ", "2)", "no 2", "nomor 2", "pilihan 2", "option 2", "dua", "two", "\uff12", "\u0662", "2️⃣", "Uang/aset negara", "korupsi", "Public money", "2 uang", "2. Uang negara", "02"]),
        ("Q06", "OTH-00", ["9", "sembilan", "tidak tahu", "lain", "Other/do not know"]),
        ("Q09", "ADM", ["3", "camat", "Administrator", "Admin/pengawas", "supervisor"]),
        ("Q02", "YES", ["1", "ya", "Y", "aman", "Aman, lanjut", "LANJUT", "yes", "ok"]),
        ("Q02", "ABORT", ["2", "nanti saja", "tidak", "NO", "Later"]),
        ("Q15", "NONE", ["2", "tidak", "tidak ada", "None"]),
        ("Q18", "THREATENED", ["3", "Sudah diancam", "already threatened"]),
        ("Q17", "NOTYET", ["BELUM", "not yet"]),
        ("Q12", "STILL", ["MASIH", "still going on"]),
        ("EDIT", "Q10", ["3", "kejadian", "What happened"]),
        ("EDIT", "Q21", ["15", "kabar"]),
    ],
)  # fmt: skip
def test_numbers_labels_and_words(step, code, typed):
    for line in typed:
        assert means(step, line) == code, line


@pytest.mark.parametrize(
    "typed",
    ["", "0", "10", "99999999999999", "2 juta", "2 korupsi dan suap", "no", "-", "1 2"],
)
def test_what_means_no_category(typed):
    assert means("Q06", typed) == ""


def test_numbers_count_only_where_they_were_shown():
    assert means("Q14", "2", numbered=False) == ""
    assert means("Q14", "2") == "DONTKNOW"
    assert means("Q14", "dua") == "", "a figure of the story, not a choice"


def test_near_misses():
    for step, typed, code in [
        ("Q05", "rahasai", "CONF"),
        ("Q06", "pngadaan", "PRC-02"),
        ("Q04", "stuju", "YES"),
        ("Q10", "selsai", "DONE"),
        ("Q19", "kirm", "SEND"),
    ]:
        option = nearest(book().by_code[step], typed)
        assert option, typed
        assert option.code == code
    for step, typed in [
        ("Q11", "Lewa"),
        ("Q07", "skap"),
        ("Q10", "dona"),
        ("Q05", "xxxx"),
    ]:
        assert nearest(book().by_code[step], typed) is None, typed


def test_a_button_says_which_draft_step_and_choice():
    data = buttons(book().by_code["Q05"], "tok_en-8")[1].data
    press = read_press(data)
    assert press
    assert (press.draft, press.step, press.option) == ("tok_en-8", "Q05", "CONF")
    assert buttons(book().by_code["Q01"], "")[0].data == "-.Q01.REPORT"
    assert [read_press(data) for data in ("", "a", "a.b", "a..c", "a.b.c.d")] == [
        None
    ] * 5
