"""An installation in a folder, founded once and copied for each test."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.hashing import hashed_quickly
from tests.support.terminal import PASSPHRASES, Terminal, init, write_recovery


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KENTONGAN_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal in a folder that holds recovery keys only."""
    monkeypatch.chdir(tmp_path)
    write_recovery(tmp_path)
    return Terminal(tmp_path)


@pytest.fixture(scope="session")
def _founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded")
    before = Path.cwd()
    os.chdir(folder)
    try:
        write_recovery(folder)
        with hashed_quickly():
            said = init(Terminal(folder), PASSPHRASE="\n".join(PASSPHRASES.values()))
        assert said.code == 0, said
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def terminal(
    _founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """Return a terminal in the folder of an installation."""
    folder = tmp_path / "home"
    shutil.copytree(_founded, folder)
    monkeypatch.chdir(folder)
    return Terminal(folder)
