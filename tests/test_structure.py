"""What the plan of the house promises about its own files."""

import ast
import re
from collections import defaultdict
from functools import cache
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
FOLDERS = ("bot", "handlers", "storage")
FORBIDDEN = {"utils", "common", "helpers", "manager", "util", "helper", "misc"}
LONGEST, LONGEST_OF_FIVE, MOST_MODULES = 300, 250, 12
MOST_QUESTIONS = 13
"""Branches, conditions joined by `and` or `or`, and filters, in one function."""
EXPORTS = {"storage/models": "its import fills SQLModel's metadata with every table"}

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
NOUNS, ROOMS, TOPS = (
    "## One noun on every floor",
    "### Rooms of one floor",
    "### Doors and shared words",
)

SAME_WORD = {
    "__main__": "Python's own name for what `python -m` runs",
    "acts": "the forms of one room of the console; the room says on what they act",
    "app": "an ASGI application: of the server, and of the console mounted in it",
    "commands": "what is carried out because somebody says so: operator, reporter",
    "installation": "the installation: examined by the doctor, its facts in the store",
    "people": "officers; as a module of `storage/models` the family of tables that touch a "
    "person, as the threat model calls it",
    "places": "where something stands: a report in the country, a key in the store",
    "readiness": "whether reports can be taken: by this process, by the units' keys",
    "reading": "what is read: the records of a backup, a reporter's own words",
    "refusals": "how its room says no: to a file, to whoever typed a command",
    "throttle": "limits tries in memory: of officers to sign in, of reporters with a code",
}
"""Names that several modules bear although docs/glossary.md does not list them as one noun."""

BELONGS = ("bot/simulator/", "bot/evidence/sandbox/", "storage/migrations/")
"""Rooms whose own rooms need no line in the glossary: nobody else's way leads there."""

APART = "bot/simulator/"
"""Its names are the providers' own; it imports nobody and nobody imports it."""


def modules() -> list[Path]:
    return [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "versions" not in path.parts
    ]


def packages() -> list[Path]:
    return [
        init.parent
        for folder in FOLDERS
        for init in sorted((ROOT / folder).rglob("__init__.py"))
    ]


def inside(package: Path) -> tuple[set[str], set[str]]:
    """Return the names of a package's modules and of its sub-packages."""
    found = {path.stem for path in package.glob("*.py")} - {"__init__"}
    return found, {init.parent.name for init in package.glob("*/__init__.py")}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def docstring(path: Path) -> str:
    return ast.get_docstring(tree(path)) or ""


@pytest.mark.parametrize("name", FIVE)
def test_each_of_the_five_files_is_short(name):
    assert lines(ROOT / name) <= LONGEST_OF_FIVE


@pytest.mark.parametrize(("name", "following"), list(pairwise(FIVE)))
def test_each_of_the_five_files_names_the_next(name, following):
    assert following in docstring(ROOT / name)


def test_a_long_module_says_why_and_no_other_does():
    """80 to 300 lines are the habit; nothing is cut by size alone."""
    long = [name(path) for path in modules() if lines(path) > LONGEST]
    reason = re.compile(r"^Long because \w+", re.MULTILINE)
    assert [name(path) for path in modules() if reason.search(docstring(path))] == long


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
BRANCHES = (ast.If, ast.IfExp, *LOOPS, ast.ExceptHandler, ast.match_case)


def questions(node: ast.AST) -> int:
    """Count what a function asks, without what is asked in functions inside it."""
    count = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.BoolOp):
            count += len(child.values) - 1
        elif isinstance(child, ast.comprehension):
            count += len(child.ifs)
        count += isinstance(child, BRANCHES)
        count += 0 if isinstance(child, FUNCTIONS) else questions(child)
    return count


def test_no_function_is_a_tangle():
    """Ruff's complexity counts no `and` or `or`, which is where tangles hide."""
    assert questions(ast.parse("x = 1 if a and b or c else 2")) == 3
    assert [
        f"{name(path)}: {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, FUNCTIONS) and questions(node) > MOST_QUESTIONS
    ] == []


def test_no_module_is_named_after_nothing():
    assert [name(path) for path in modules() if path.stem in FORBIDDEN] == []


def test_every_module_says_what_it_is():
    assert [name(path) for path in modules() if not docstring(path)] == []


@pytest.mark.parametrize("package", packages(), ids=name)
def test_the_map_of_a_package_names_what_is_in_its_folder(package):
    """The last paragraph: one line, ``name: what it is``, for each module and package."""
    found, rooms = inside(package)
    told = docstring(package / "__init__.py").split("\n\n")[-1].splitlines()
    named = [re.fullmatch(r"(\w+): \S.*", line) for line in told]
    assert all(named), "every line of the map has the form `name: what it is`"
    assert [line[1] for line in named if line] == sorted(found | rooms)


def test_a_package_holds_a_map_and_exports_nothing():
    full = {
        name(package)
        for package in packages()
        if len(tree(package / "__init__.py").body) > 1
    }
    assert full == set(EXPORTS)


def test_a_package_holds_twelve_modules_at_most():
    crowded = [
        name(package)
        for package in packages()
        if len(inside(package)[0]) > MOST_MODULES
    ]
    assert crowded == []


def table(title: str) -> list[list[str]]:
    """Return the rows below a title of the glossary, cell by cell."""
    body = GLOSSARY.partition(f"\n{title}\n")[2].partition("\n#")[0]
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


def named(cell: str, floor: str) -> list[str]:
    """Return the paths that a cell names, as they stand in the tree."""
    return [f"{floor}/{place.rstrip('/')}" for place in re.findall(r"`([^`]+)`", cell)]


def nouns() -> dict[str, set[str]]:
    floors = ("bot/console", "bot", "handlers", "storage")
    return {
        row[0]: {
            place
            for floor, cell in zip(floors, row[1:], strict=True)
            for place in named(cell, floor)
        }
        for row in table(NOUNS)
    }


def rooms() -> set[str]:
    return {
        place for row in table(ROOMS) for place in re.findall(r"`(\w[^`]*)/`", row[0])
    }


def doors() -> set[str]:
    return {place for row in table(TOPS) for place in named(row[1], row[0].strip("`/"))}


def test_the_glossary_has_its_tables():
    assert len(nouns()) > 20
    assert len(rooms()) > 10
    assert len(doors()) > 10


def test_every_place_that_the_glossary_names_is_there():
    places = {*rooms(), *doors()}.union(*nouns().values())
    gone = {
        place
        for place in places
        if not (ROOT / place).is_dir() and not (ROOT / f"{place}.py").is_file()
    }
    assert gone == set()


def test_a_place_that_ends_in_a_stroke_is_a_package():
    for row in table(NOUNS):
        for floor, cell in zip(("bot/console", *FOLDERS), row[1:], strict=True):
            for place in re.findall(r"`([^`]+)`", cell):
                is_room = (ROOT / floor / place).is_dir()
                assert place.endswith("/") == is_room, place


def test_every_package_is_the_room_of_a_noun_or_explained():
    known = {*FOLDERS, *rooms()}.union(*nouns().values())
    unknown = {name(package) for package in packages()} - known
    assert [one for one in sorted(unknown) if not one.startswith(BELONGS)] == []


def test_at_the_top_stand_doors_and_shared_words_only():
    """A noun may stand there too as long as it is one module."""
    known = doors().union(*nouns().values())
    for folder in FOLDERS:
        found, _ = inside(ROOT / folder)
        assert {f"{folder}/{module}" for module in found} <= known


def test_no_name_has_two_meanings():
    """The same name twice is the same noun on another floor, or has its reason."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in [*modules(), *packages()]:
        own = name(path.with_suffix(""))
        if path.stem != "__init__" and not own.startswith(APART) and own not in FOLDERS:
            places[path.stem].append(own)
    ambiguous = []
    for word, found in places.items():
        main = {
            f"{room}/{word}" for room in found
        }  # a package's module of its own name
        apart = set(found) - main
        if len(apart) < 2 or word in SAME_WORD:
            continue
        if not any(apart <= noun for noun in nouns().values()):
            ambiguous.append(sorted(apart))
    assert ambiguous == []


def test_every_reason_for_a_name_is_still_needed():
    stems = [path.stem for path in [*modules(), *packages()]]
    assert [word for word in SAME_WORD if stems.count(word) < 2] == []


PATH = re.compile(r"`((?:bot|handlers|storage|tests|docs|deploy)/[\w./-]+)`")
DOTTED = re.compile(r"`((?:bot|handlers|storage)(?:\.[a-z_]+)+)(?:\.[A-Z]\w*)?`")


def is_there(dotted: str) -> bool:
    """Tell whether a dotted name leads to a package, a module, or a name in one."""
    whole = ROOT / dotted.replace(".", "/")
    files = (whole.with_suffix(".py"), whole.parent.with_suffix(".py"))
    return whole.is_dir() or any(file.is_file() for file in files)


def gone(text: str) -> list[str]:
    """Return the paths and dotted names of a text that lead nowhere."""
    paths = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    return paths + [dotted for dotted in DOTTED.findall(text) if not is_there(dotted)]


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"], ids=lambda p: p.name
)
def test_every_path_that_a_page_names_is_there(page):
    assert gone(page.read_text("utf-8")) == []


def test_every_path_that_a_docstring_names_is_there():
    assert [
        (name(path), gone(said(path))) for path in modules() if gone(said(path))
    ] == []


@cache
def said(path: Path) -> str:
    """Return every docstring of a module."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.walk(tree(path))
    return "\n".join(
        ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)
    )
