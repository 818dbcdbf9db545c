"""The reading measured on labelled messages (``tests/corpus/accused.csv``).

``accused`` is whom the message accuses: KDH, INS, BOTH or none; a minus means that a row is
not labelled for that column. Rows of the part ``held`` were not used to make the rules: only
an accused who was missed there was mended afterwards. The floors are what was measured when
this was written, less a row or two; docs/decisions.md has the figures at first sight.
"""

import csv
from collections.abc import Callable, Iterator

import pytest

from handlers.reading.lexicon import Lexicon
from handlers.reading.reading import Reading, read
from tests.support.places import ROOT

Row = dict[str, str]

CORPUS = ROOT / "tests" / "corpus" / "accused.csv"
LEXICON = Lexicon.load()
ACCUSED = {
    "none": frozenset(),
    "KDH": frozenset({"KDH"}),
    "INS": frozenset({"INS"}),
    "BOTH": frozenset({"KDH", "INS"}),
}
PARTS = ("tune", "held")


def rows() -> list[tuple[Row, Reading]]:
    with CORPUS.open(encoding="utf-8", newline="") as file:
        return [(row, read(row["text"], LEXICON)) for row in csv.DictReader(file)]


ROWS = rows()


def of(part: str) -> Iterator[tuple[Row, Reading]]:
    return ((row, said) for row, said in ROWS if row["part"] == part)


def test_the_corpus_is_large_and_half_innocent() -> None:
    innocent = sum(row["accused"] == "none" for row, _ in ROWS)

    assert len(ROWS) >= 1000
    assert len({row["text"] for row, _ in ROWS}) == len(ROWS)
    assert 0.45 <= innocent / len(ROWS) <= 0.6
    assert sum(row["part"] == "held" for row, _ in ROWS) >= 150


@pytest.mark.parametrize("part", PARTS)
def test_no_accused_head_or_inspector_is_missed(part: str) -> None:
    missed = [
        (row["accused"], row["text"])
        for row, said in of(part)
        if not ACCUSED[row["accused"]] <= said.conflicts
    ]
    assert missed == []


@pytest.mark.parametrize("part", PARTS)
def test_at_most_a_tenth_of_innocent_mentions_raise_an_alarm(part: str) -> None:
    innocent = [(row, said) for row, said in of(part) if row["accused"] == "none"]
    alarms = [row["text"] for row, said in innocent if said.conflicts]
    print(f"{part}: {len(alarms)} of {len(innocent)}", *alarms, sep="\n")  # noqa: T201

    assert len(alarms) / len(innocent) <= 0.1


CODES: dict[str, tuple[str, Callable[[Reading], str], float, float]] = {
    "category": ("category", lambda said: said.category, 0.93, 0.82),
    "group of the category": ("category", lambda said: said.category[:3], 0.97, 0.87),
    "track": ("track", lambda said: str(said.track), 0.98, 0.96),
    "position": ("position", lambda said: said.position, 0.98, 0.98),
    "urgent": ("urgent", lambda said: "yes" if said.urgent else "no", 0.99, 0.98),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", CODES)
def test_codes_are_read_as_well_as_measured(kind: str, part: str) -> None:
    column, found, tune, held = CODES[kind]
    length = 3 if kind.startswith("group") else None
    wrong, labelled = [], 0
    for row, said in of(part):
        if row[column] != "-":
            labelled += 1
            if row[column][:length] != found(said):
                wrong.append((row[column], found(said), row["text"]))
    right = 1 - len(wrong) / labelled
    print(f"{kind}, {part}: {right:.3f} of {labelled}", *wrong, sep="\n")  # noqa: T201

    assert right >= (tune if part == "tune" else held)
