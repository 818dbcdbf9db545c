"""Texts cut to a provider's limit, and errors that say nothing of their content."""

import hypothesis
import hypothesis.strategies as st
import pytest

from bot.channels import base
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from handlers import lengths


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("halo", ["halo"]),
        ("satu dua tiga", ["satu dua", "tiga"]),
        ("satu\n\ndua tiga", ["satu\n\ndua", "tiga"]),
        ("satudua\nti ga", ["satudua", "ti ga"]),
        ("satuduatigaempat", ["satuduatig", "aempat"]),
        ("a satuduatigaempat", ["a satuduat", "igaempat"]),
        ("😀😀😀😀😀😀", ["😀😀😀😀😀", "😀"]),
        ("a😀😀😀😀😀", ["a😀😀😀😀", "😀"]),
        (" " * 30, [""]),
    ],
)
def test_a_text_is_cut_at_blanks(text, parts):
    assert lengths.split(text, 10) == parts


@hypothesis.given(st.text(), st.integers(2, 50))
def test_no_part_is_too_long_and_no_word_is_lost(text, limit):
    parts = lengths.split(text, limit)
    assert all(lengths.width(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("é", "é"),
    ],
)
def test_lone_surrogates_are_replaced(text, cleaned):
    assert base.clean(text) == cleaned


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (base.Later("x.429", 3), "The provider cannot take the message now; send it"),
        (base.Never("x.400"), "The provider will never take this message; give it up."),
        (base.Unparseable("x.shape"), "The provider's message has an unknown shape;"),
    ],
)
def test_an_error_is_its_docstring_and_a_code(error, text):
    assert str(error).startswith(text)
    assert str(error).endswith(f"[{error.code}]")


@pytest.mark.parametrize("adapter", [Telegram, Sms, WhatsApp])
def test_limits_are_data(adapter):
    limits = adapter.limits
    assert limits.text in {1600, 4096}
    assert limits.chat_burst >= 1
    assert limits.file_bytes == 20 << 20


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/bot", True),
        ("http://[::1]/", True),
        ("http://localhost:8/", True),
        ("https://localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback(url, local):
    assert base.is_loopback(url) is local
