"""A sandbox says what may be said, or it is not heard: it has read a stranger's bytes."""

import json

import pytest

from bot.evidence import converter
from bot.evidence.facts import Strange, checked
from bot.evidence.kinds import kinds
from bot.evidence.refusals import HIDDEN, WHYS

GOOD = [
    {},
    *({"why": why} for why in sorted(WHYS)),
    {"why": "archive", "entries": json.dumps(["a.txt"] * 80), "count": "4000"},
    {"hidden": " ".join(sorted(HIDDEN)), "pages": "3"},
    {"hidden": "", "frames": "more"},
    {"hidden": "place", "seconds": "3.5", "copy": "audio/mpeg", "shown": "sound"},
    {"kind": "docx", "type": kinds()["docx"].type, "copy": kinds()["docx"].copy},
]
STRANGE = [
    [],
    "why",
    None,
    {"why": "because"},
    {"why": 5},
    {"hidden": "place secrets"},
    {"sha256": "00" * 32},
    {"salt": "00"},
    {"at": "2026-01-01T00:00:00+00:00"},
    {"name": "other.pdf"},
    {"size": "5"},
    {"copy_size": "5"},
    {"pages": "-1"},
    {"pages": "1" * 10},
    {"seconds": "1e9"},
    {"kind": "exe"},
    {"type": "text/html"},
    {"copy": "text/html"},
    {"shown": "raw"},
    {"entries": "x"},
    {"entries": json.dumps({})},
    {"entries": json.dumps(["a"] * 81)},
    {"entries": json.dumps(["a" * 81])},
    {"entries": json.dumps([5])},
]


@pytest.mark.parametrize("said", GOOD)
def test_what_may_be_said_is_heard(said):
    assert checked(said) == said


@pytest.mark.parametrize("said", STRANGE)
def test_anything_else_is_strange(said):
    with pytest.raises(Strange):
        checked(said)


def test_a_sandbox_that_speaks_for_the_server_has_broken_its_file(monkeypatch):
    def taken_over(said):
        return said | {"sha256": "00" * 32}

    monkeypatch.setattr(converter, "checked", lambda said: checked(taken_over(said)))
    facts = converter.clean(
        kinds()["text"], [b"halo"], copy=bytearray, preview=bytearray
    )
    assert facts == {"why": "broken"}
