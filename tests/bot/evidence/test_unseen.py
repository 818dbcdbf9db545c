"""No sign that nobody sees is left in words or names."""

import sys
import unicodedata

import pytest

from bot.evidence import unseen

DRAWN = {*range(0x600, 0x606), 0x6DD, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
"""Signs of Arabic and Kaithi that Unicode counts as formats and that are drawn."""
ANCIENT = range(0x13430, 0x13440)
"""They lay hieroglyphs out, and are seen where these are."""
IN_WORDS = set(map(ord, "\t\n\f\r"))


def test_every_sign_that_unicode_calls_unseen_is_marked():
    left = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and code not in DRAWN | IN_WORDS
        and code not in ANCIENT
        and unseen.marked(chr(code)) == chr(code)
    ]
    assert left == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("foto\u202egpj.exe", "foto[U+202E]gpj.exe"),
        ("\u2067surat\u2069.exe", "[U+2067]surat[U+2069].exe"),
        ("su\u200brat\ufeff.pdf", "su[U+200B]rat[U+FEFF].pdf"),
        ("surat.pdf\n.exe", "surat.pdf[U+000A].exe"),
        ("surat.pdf\u3000\xa0.exe", "surat.pdf[U+3000][U+00A0].exe"),
        ("surat.pdf   .exe", "surat.pdf[U+0020][U+0020] .exe"),
        ("surat\u3164\u2800.pdf", "surat[U+3164][U+2800].pdf"),
        ("a\U000e0041\ud800", "a[U+E0041][U+D800]"),
        ("surat kepala dinas é رسالة.pdf", "surat kepala dinas é رسالة.pdf"),
    ],
)
def test_a_name_shows_what_turns_it(name, shown):
    assert unseen.named(name) == shown


def test_words_keep_their_lines_and_letters():
    words = "Kepala dinas:\n\tuang \u2013 ❤\ufe0f é\r\n"
    assert unseen.marked(words) == words
    assert unseen.marked("a\u202eb") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_long_name_keeps_its_ending():
    long = unseen.shortened("a" * 200 + ".jpg.exe", 80)
    assert len(long) == 80
    assert long.endswith("aaa.jpg.exe")
    assert unseen.shortened("a.exe", 80) == "a.exe"
