"""What deploy/ says to others is read as they would read it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

from bot.settings import loading
from bot.settings.sections import PREFIX

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
MANIFESTS = DEPLOY / "kubernetes" / "kentongan.yaml"
READERS = {
    "Dockerfile": ("hadolint", "Dockerfile"),
    "compose.yaml": (
        *("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
        "compose.yaml",
    ),
    "kubernetes": ("kubernetes-validate", "--strict", "kubernetes/kentongan.yaml"),
}


@pytest.mark.parametrize("name", READERS)
def test_it_is_read_without_a_complaint(name):
    reader, *rest = READERS[name]
    program = Path(sys.executable).with_name(reader)
    told = subprocess.run(  # noqa: S603 - a reader from our own environment
        [program, *rest], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def variables():
    """Yield each variable of the program that a file of deploy/ sets."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    yield from compose["services"]["kentongan"]["environment"]
    deployment = next(yaml.safe_load_all(MANIFESTS.read_text("utf-8")))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    yield from (one["name"] for one in container["env"])


def test_every_variable_is_a_setting_of_ours():
    ours = [name for name in variables() if name.startswith(PREFIX)]
    assert len(ours) >= len(READERS)
    for name in ours:
        key = name.removeprefix(PREFIX).lower().replace("__", ".")
        assert key in loading.known_keys()


def test_the_image_takes_along_what_the_package_needs():
    """What is not named in .dockerignore does not reach the image."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    named = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        word
        for line in (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == named
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {one.rstrip("*") for one in packages} <= named
    assert all((ROOT / one).exists() for one in named)


def test_the_image_and_the_manifests_name_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "version"
    ]
    assert f"image: kentongan:{version}" in MANIFESTS.read_text("utf-8")
