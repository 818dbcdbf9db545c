"""Keywords in both languages, as people really type them."""

import pytest

from handlers.errors import RulesInvalid
from handlers.questionnaire.keywords import Keywords, is_blank, near, normalise
from tests.support.talking import book


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("REPORT", ["LAPOR", "lapor", " Lapor! ", "/lapor", "/report@kentongan_bot", "REPORT", "Buat laporan"]),
        ("STATUS", ["STATUS", "status?", "cek", "Check a report", "/status"]),
        ("ADD", ["TAMBAH", "tambah info", "add", "Add facts"]),
        ("READ", ["BACA", "read"]),
        ("ANSWER", ["JAWAB", "Answer"]),
        ("WITHDRAW", ["TARIK", "withdraw"]),
        ("ERASE", ["HAPUS", "erase"]),
        ("SUBSCRIBE", ["KABAR", "NEWS", "Set updates"]),
        ("HELP", ["BANTUAN", "panduan", "HELP", "GUIDE", "info", "tolong"]),
        ("LANG", ["BAHASA", "LANG", "language"]),
        ("SEND", ["KIRIM", "Kirim.", "\uff2b\uff29\uff32\uff29\uff2d", "kír\u0301im", "k\u200birim", "SEND"]),
        ("EDIT", ["UBAH", "edit"]),
        ("ABORT", ["BATAL", "ABORT", "cancel", "\u202eBATAL"]),
        ("STOP", ["STOP", "berhenti", "UNSUBSCRIBE", "quit", "END"]),
        ("CONTINUE", ["LANJUT", "continue", "Go on"]),
        ("PAUSE", ["JEDA", "pause"]),
        ("SPEAK_ID", ["ID", "Indonesia"]),
        ("SPEAK_EN", ["EN", "english"]),
        ("START", ["halo", "Hi"]),
        ("RESUME", ["/start", "MULAI", "Start", "unstop"]),
    ],
)  # fmt: skip
def test_a_keyword_is_understood_however_it_is_written(command, typed):
    for line in typed:
        word = book().keywords.whole(line)
        assert word, line
        assert word.command == command, line


@pytest.mark.parametrize(
    "line", ["", "  ", "/", "laporan saya", "batam", "kirim uang", "🙏", "1"]
)
def test_what_is_no_keyword_is_none(line):
    assert book().keywords.whole(line) is None


def test_a_keyword_tells_its_languages():
    whole = book().keywords.whole
    languages = [
        word.languages for word in map(whole, ("LAPOR", "REPORT", "STATUS")) if word
    ]
    assert languages == [{"id"}, {"en"}, {"id", "en"}]


@pytest.mark.parametrize(
    ("line", "command", "rest"),
    [
        ("STATUS 7K3M-9QXB 1234", "STATUS", "7K3M-9QXB 1234"),
        ("Lapor: pak kades", "REPORT", "pak kades"),
        ("lapor,pak kades", "REPORT", "pak kades"),
        ("LAPOR\npak kades\nminta uang", "REPORT", "pak kades\nminta uang"),
        ("/lapor@a_bot pak  kades", "REPORT", "pak  kades"),
        ("LAPOR", "REPORT", ""),
    ],
)
def test_a_keyword_may_stand_before_other_words(line, command, rest):
    word = book().keywords.first(line)
    assert word
    assert (word.command, word.rest) == (command, rest)
    assert rest == "" or rest not in repr(word)


def test_a_slip_of_the_thumb_is_forgiven_where_only_one_word_is_near():
    nearest = book().keywords.nearest
    for typed, command in [("LAPRO", "REPORT"), ("STATSU", "STATUS"), ("TAMBH", "ADD"),
                           ("WITHDARW", "WITHDRAW"), ("bantuann", "HELP")]:  # fmt: skip
        word = nearest(typed)
        assert word, typed
        assert word.command == command
    assert nearest("xyzzy") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ya", "yo", False),
        ("kirim", "kirm", True),
        ("kirim", "kriim", True),
        ("kirim", "karam", False),
        ("selesai", "selesei", True),
        ("selesai", "seleai", True),
        ("pemerasan", "pemrasan", True),
        ("penyalahgunaan", "penylahgunan", True),
        ("lewat", "lewat sini", False),
    ],
)
def test_how_near_is_near(one, other, same):
    assert near(one, other) is same
    assert near(other, one) is same


def test_normalising_folds_everything_but_letters_and_digits():
    assert normalise("  É-C\u200bO le\u0301!\u0662 1\ufe0f\u20e3 ") == "e co le 2 1"
    assert len(normalise("x" * 10_000)) <= 200


def test_blank_is_what_nobody_can_see():
    assert all(
        is_blank(text)
        for text in ("", " \n\t", "\u200b\u2060\ufeff", "\u202e", "\ud800")
    )
    assert not any(is_blank(text) for text in ("1", "🙏", ".", "\ufffd"))


def test_passing_over_in_both_languages():
    assert all(
        map(
            book().keywords.is_pass,
            ("LEWAT", "skip", "lewati", "tidak tahu", "I do not know"),
        )
    )
    assert not book().keywords.is_pass("pak lurah")


def test_an_agency_s_own_keywords_are_read(tmp_path):
    ours = book().keywords
    path = tmp_path / "keywords.toml"
    path.write_text(
        '[numerals]\nid = ["siji"]\n[commands]\nREPORT = { jv = ["LAPURAN"] }\n'
        '[words]\nYES = { jv = ["INGGIH"] }\n',
        encoding="utf-8",
    )
    own = type(ours).load(path)
    word = own.whole("lapuran")
    assert word
    assert word.command == "REPORT"
    assert own.numerals == {"siji": 1}
    assert own.of("YES") == {"inggih"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[commands]\n", "words: is missing (1 more to fix)"),
        ("[commands]\nSTOP = 3\n[words]\n[numerals]\n", "commands.STOP: must be a table, not 3"),
        ("[words\n", "Expected ']' at the end of a table declaration (at line 1, column 7)"),
    ],
)  # fmt: skip
def test_a_broken_file_of_keywords_is_refused_by_its_own_name(tmp_path, text, says):
    path = tmp_path / "keywords.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(RulesInvalid) as refused:
        Keywords.load(path)
    assert refused.value.detail == f"{path}: {says}"
