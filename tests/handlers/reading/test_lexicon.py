"""The files as shipped, an agency's own words, and what is refused."""

from pathlib import Path

import pytest

from handlers.errors import RulesInvalid
from handlers.reading.lexicon import Lexicon
from handlers.reading.reading import read

OWN = """
[[title]]
position = "INS"
conflict = "INS"
words = ["posko aduan"]

[category]
COR-09 = ["upah jago"]

[sign]
THREAT = ["disantet"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_an_agency_adds_its_own_words(folder: Path) -> None:
    (folder / "own_words.toml").write_text(OWN, "utf-8")
    own = Lexicon.load(folder)

    text = "posko aduan kena upah jago, saya mau disantet"
    said = read(text, own)
    assert (said.conflict, said.category, said.urgent) == ("INS", "COR-09", True)
    assert read("LAPOR Bupati minta setoran", own).conflict == "KDH"

    ours = read(text, Lexicon.load())
    assert (ours.conflict, ours.category, ours.urgent) == (None, "", False)


def test_an_agency_replaces_a_file_of_ours(folder: Path) -> None:
    (folder / "spelling.toml").write_text("near = []\n[short]\n", "utf-8")

    assert read("bupti minta uang", Lexicon.load()).conflict == "KDH"
    assert read("bupti minta uang", Lexicon.load(folder)).conflict is None


TITLE = '[[title]]\nposition = "{}"\nconflict = {}\nwords = ["{}"]'
REFUSED = {
    "no TOML": ("[[", "own_words.toml"),
    "no such position": (TITLE.format("BOSS", '"KDH"', "bos"), "BOSS"),
    "no such class": (TITLE.format("KDH", '"POL"', "bos"), "conflict"),
    "no such category": ('[category]\nXYZ-01 = ["bos"]', "XYZ-01"),
    "a key too much": ("[signs]\n", "signs"),
    "no phrase": (TITLE.format("KDH", '"KDH"', "bos .."), "bos .."),
    "no such group": (TITLE.format("KDH", '"KDH"', "{bos}"), "bos"),
    "no such shape": ('[category]\nCOR-09 = "upah jago"', "COR-09"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(
    kind: str, folder: Path
) -> None:
    written, reason = REFUSED[kind]
    (folder / "own_words.toml").write_text(written, "utf-8")
    with pytest.raises(RulesInvalid, match=reason):
        Lexicon.load(folder)
