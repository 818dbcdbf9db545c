"""What the plan of the house promises about its own files."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.places import ROOT

FIVE = (
    "bot/webhooks.py",
    "bot/channels/telegram.py",
    "handlers/inbox.py",
    "handlers/dialogue.py",
    "storage/outbox.py",
)
FORBIDDEN = {"utils", "common", "helpers", "manager", "util", "helper", "misc"}
LONGEST, LONGEST_OF_FIVE = 300, 250


def modules() -> list[Path]:
    return [
        path
        for folder in ("bot", "handlers", "storage")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "versions" not in path.parts
    ]


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("name", FIVE)
def test_each_of_the_five_files_is_short(name):
    assert lines(ROOT / name) <= LONGEST_OF_FIVE


@pytest.mark.parametrize(("name", "following"), list(pairwise(FIVE)))
def test_each_of_the_five_files_names_the_next(name, following):
    tree = ast.parse((ROOT / name).read_text("utf-8"))
    assert following in (ast.get_docstring(tree) or "")


def test_no_module_is_too_long_or_named_after_nothing():
    assert [p.name for p in modules() if lines(p) > LONGEST] == []
    assert [p.name for p in modules() if p.stem in FORBIDDEN] == []


def test_every_module_says_what_it_is():
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
