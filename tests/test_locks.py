"""The locks pin every package by hash, and no file names a registry or a machine."""

import re
import tomllib

import pytest

from tests.support.places import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(
    r"([a-z0-9-]+)==([^ ;\\]+)((?: ;[^\\]+)?)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)\n"
)
# Written in two parts, so that this file does not find itself.
STRANGERS = [
    "py" + "pi.org", "python" + "hosted", "npm" + "js.", "j" + "frog", "arti" + "factory",
    "index" + "-url =", "extra-" + "index-url", "find-" + "links", "/ro" + "ot/", "/wo" + "rk/",
    "/opt/" + "wheels",
]  # fmt: skip
NOT_OURS = {
    ".git", ".venv", ".demo", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
    ".import_linter_cache", "__pycache__", "build",
}  # fmt: skip


def pins(name):
    return {match[1]: match[2] for match in PIN.finditer((ROOT / name).read_text())}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_nothing_but_pins_with_hashes(name):
    rest = PIN.sub("", (ROOT / name).read_text())
    assert rest.strip() == ""
    assert "://" not in (ROOT / name).read_text()


def test_what_is_tested_is_what_runs():
    used, developed = pins(LOCKS[0]), pins(LOCKS[1])
    assert len(used) > 30
    assert {name: developed.get(name) for name in used} == used


@pytest.mark.parametrize("name", ["setuptools"])
def test_what_installs_us_is_pinned_too(name):
    assert all(name in pins(lock) for lock in LOCKS)


def test_every_dependency_is_locked():
    """What a province installs brings every extra; what a developer does, theirs too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for_tests = extras.pop("dev")
    used = names(sum(extras.values(), project["dependencies"]))
    assert {"psycopg", "obstore"} < used
    assert used <= set(pins(LOCKS[0]))
    assert f"kentongan[{','.join(sorted(extras))}]" in for_tests
    assert names(for_tests) - {"kentongan"} <= set(pins(LOCKS[1]))


def names(parts):
    return {re.split(r"[\[<>=]", part)[0].lower() for part in parts}


def ours():
    """Return every file of the project, as far as it is text."""
    found = {}
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT)
        if (
            NOT_OURS.isdisjoint(inside.parts)
            and path.is_file()
            and ".egg-info" not in str(inside)
        ):
            content = path.read_bytes()
            if b"\0" not in content:
                found[inside.as_posix()] = content.decode("utf-8", "replace").lower()
    return found


def test_no_file_names_a_registry_or_a_machine():
    files = ours()
    assert "pyproject.toml" in files
    named = [
        f"{name}: {word}"
        for name, text in files.items()
        for word in STRANGERS
        if word in text
    ]
    assert named == []
