"""A message in quarantine is shown as text: all of it that is there, and no more than fits."""

import tracemalloc
from datetime import date
from urllib.parse import urlencode

import pytest

from bot.console.watch import quarantine
from handlers.quarantine.release import Quarantined


def test_whatever_shows_nothing_is_written_out():
    """Else words could hide in a message that a custodian looks through."""
    unseen = (
        "\u00ad\u034f\u061c\u180e\u200b\u202e\u206a\u3164\ufff9\ue000\U000e0041\r\x00"
    )
    body = urlencode({"Body": f"a{unseen}z\tü 🙏"}).encode()
    text = quarantine.readable(Quarantined("sms", date(2026, 1, 1), "x", body))
    assert text == (
        r"Body: a\u00ad\u034f\u061c\u180e\u200b\u202e\u206a\u3164\ufff9\ue000"
        r"\U000e0041\u000d\u0000z"
        "\tü 🙏"
    )


@pytest.mark.parametrize("depth", [400, 100_000])
def test_a_message_that_unfolds_to_a_gigabyte_does_not(depth: int):
    """Indented, each of the half a million numbers would stand behind 800 blanks."""
    raw = b"[" * depth + b"0," * 400_000 + b"0" + b"]" * depth
    tracemalloc.start()
    text = quarantine.readable(Quarantined("telegram", date(2026, 1, 1), "x", raw))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(text) > quarantine.MOST
    assert most < 32 << 20
