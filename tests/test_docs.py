"""What can be set is documented, and what is documented can be set."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr
from sqlmodel import SQLModel

from bot import cli
from bot.settings import loading
from bot.settings.sections import Settings
from bot.watch import canary_door
from tests.support.places import ROOT
from tests.tools import floors

EXAMPLE = ROOT / "config.example.toml"
LINES = EXAMPLE.read_text().splitlines()
WRITTEN = tomllib.loads(EXAMPLE.read_text())


def _lines_by_key() -> dict[str, int]:
    """Map ``section.key`` to its line, commented keys too."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(LINES):
        if match := re.fullmatch(r"\[([a-z.]+)\]", line):
            section = match[1]
        elif match := re.fullmatch(r"(?:# )?([a-z_]+) = .+", line):
            found[f"{section}.{match[1]}"] = number
    return found


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


KEYS = sorted(set(loading.known_keys()) - {"twilio.templates"})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_explained_in_the_example(key):
    lines = _lines_by_key()
    assert key in lines, f"config.example.toml does not show {key}"
    number = lines[key]
    if key.endswith("_file") and LINES[number].startswith("#"):
        number = lines[key.removesuffix("_file")]
    above = LINES[number - 1]
    assert above.startswith("# "), f"nothing explains {key}"
    assert not re.match(r"# [a-z_]+ = ", above)


def test_the_example_shows_nothing_that_cannot_be_set():
    templates = {"twilio.templates.id.news", "twilio.templates.en.news"}
    assert set(_lines_by_key()) == set(KEYS) | templates


def _is_a_setting(key: str) -> bool:
    """Tell a setting from the place of a secret's own file."""
    section, name = key.split(".")
    return name in type(getattr(Settings(), section)).model_fields


@pytest.mark.parametrize("key", [key for key in KEYS if _is_a_setting(key)])
def test_the_example_shows_the_default(key):
    section, name = key.split(".")
    default = getattr(getattr(Settings(), section), name)
    assert WRITTEN[section][name] == _plain(default)


def test_the_example_loads_as_it_stands():
    settings = loading.load(EXAMPLE, {})
    assert settings.model_copy(update={"twilio": Settings().twilio}) == Settings()


DOCS = sorted(ROOT.glob("docs/*.md"))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_variables_named_in_the_docs_exist(page):
    known = {
        "KENTONGAN_" + key.upper().replace(".", "__") for key in loading.known_keys()
    }
    named = set(re.findall(r"KENTONGAN_[A-Z_]+[A-Z]", page.read_text()))
    assert named <= known | loading.NOT_SETTINGS


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_between_the_docs_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_into_a_page_lead_to_a_heading(page):
    for target, anchor in re.findall(r"\]\(([\w./-]*)#([^)]+)\)", page.read_text()):
        assert anchor in _anchors(page.parent / target if target else page), anchor


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_sections_named_in_the_docs_exist(page):
    """A docs page that shows a piece of config.toml shows keys that exist."""
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL):
        for section, keys in tomllib.loads(block).items():
            for key in keys:
                assert f"{section}.{key}" in loading.known_keys()


NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
THREATS = (ROOT / "docs" / "threat-model.md").read_text()


def _tests_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_test_that_the_docs_name_exists(page):
    for file, name in NAMED_TEST.findall(page.read_text()):
        assert (ROOT / file).is_file(), f"{page.name} names {file}"
        known = _tests_in(ROOT / file)
        assert not name or name in known, f"{page.name} names {file}::{name}"


def _claims(text: str) -> list[str]:
    """Return each point of a list and each row of a table."""
    body = text.partition("\n## ")[2].partition("\n## ")[2]
    points = re.findall(r"^- .+?(?=\n\n|\n- |\n#|\Z)", body, re.DOTALL | re.MULTILINE)
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    return points + [row for row in rows if not row.startswith("| Thief takes")]


def test_every_line_about_a_threat_names_a_test_or_says_that_none_can():
    claims = _claims(THREATS)
    assert len(claims) > 40
    for claim in claims:
        assert NAMED_TEST.search(claim) or "No test" in claim, claim


def test_every_table_stands_in_the_architecture():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"\w+", page.partition("## What is kept")[2]))
    assert set(SQLModel.metadata.tables) <= named


@pytest.mark.parametrize("name", ["architecture.md", "decisions.md"])
def test_a_page_about_the_code_is_wrapped(name):
    """Tables cannot be."""
    page = (ROOT / "docs" / name).read_text("utf-8").splitlines()
    wide = [line for line in page if len(line) > 100 and not line.startswith("|")]
    assert wide == []


@pytest.mark.parametrize("folder", floors.FOLDERS)
def test_the_picture_of_a_folder_shows_its_imports(folder):
    """``make floors`` draws it anew."""
    assert floors.picture_of(folder).read_text("utf-8") == floors.drawn(folder)


def test_the_proxy_keeps_no_one_time_token():
    """A path with a token is left out of any log that somebody may add."""
    front = (ROOT / "deploy" / "Caddyfile.example").read_text()
    untold = re.search(
        r"@untold path (.+)\n\tvars @untold {\n\t\tskip_log true\n\t\tlog_skip true",
        front,
    )
    assert untold is not None
    assert {"http.log.access", "http.log.error", "http.handlers"} <= set(front.split())
    routes = (ROOT / "bot" / "console" / "app.py").read_text()
    for path in re.findall(r'"(/[^"]*)/\{token\}', routes):
        assert f"/console{path}/*" in untold[1].split()


def test_the_proxy_passes_nothing_on_that_is_for_the_inside():
    front = (ROOT / "deploy" / "Caddyfile.example").read_text()
    inside = re.search(r"@inside path (.+)\n\trespond @inside 404", front)
    assert inside is not None
    assert {"/metrics", "/readyz", canary_door.PATH} <= set(inside[1].split())


def _commands(group: Any, *above: str) -> Iterator[str]:
    """Yield every command that does something, as it is typed."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, *above, name)
        else:
            yield " ".join((*above, name))


COMMANDS = sorted(_commands(typer.main.get_command(cli.app)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_guide(command):
    guide = (ROOT / "docs" / "running.md").read_text()
    assert f"kentongan {command}" in guide


@pytest.mark.parametrize(
    "page", [*DOCS, ROOT / "README.md"], ids=lambda page: page.name
)
def test_commands_in_the_docs_exist(page):
    groups = {" ".join(one.split()[:-1]) for one in COMMANDS} - {""}
    for words in re.findall(r"kentongan ([a-z][a-z -]*[a-z])", page.read_text()):
        typed = words.split()
        known = any(" ".join(typed[:n]) in COMMANDS for n in (1, 2, 3))
        assert known or words in groups, f"{page.name}: kentongan {words}"


def test_every_dependency_has_its_reason_and_nothing_else_has_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    parts = sum(project["optional-dependencies"].values(), project["dependencies"])
    named = {re.split(r"[\[<>=]", part)[0] for part in parts}
    page = (ROOT / "docs" / "decisions.md").read_text()
    table = page.partition(" Parts, each for a reason")[2]
    told = re.findall(r"^\| ([a-z0-9-]+) \| \S.+ \|$", table, re.MULTILINE)
    assert sorted(told) == sorted(named - {"kentongan"})


HANDBOOKS = {"officers.md": "en", "petugas.md": "id"}
PLAIN = {"your name", "their name", "their", "head", "can", "nama anda", "namanya"} | {
    "miliknya",
    "kepala",
    "masih dapat",
}
"""What the handbooks stress without quoting a page."""


@pytest.mark.parametrize("name", HANDBOOKS)
def test_what_a_handbook_quotes_stands_on_a_page(name):
    """Slanted words are labels of the console, in the language of the handbook."""
    said: list[str] = []
    for file in (ROOT / "bot/console/locales" / HANDBOOKS[name]).glob("*.po"):
        said += re.findall(r'^msgstr "(.+)"$', file.read_text(), re.MULTILINE)
    text = (ROOT / "docs" / name).read_text()
    quoted = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text)
    assert len(quoted) > 20
    for label in (part for words in quoted for part in words.split(" → ")):
        shown = any(one.startswith(label) for one in said)
        assert shown or label.lower() in PLAIN, label
