"""Commands as an operator types them, in this process, and an installation to type at."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from typer import main, testing

from bot.cli import app
from bot.operations import recovery_paper
from storage.crypto.sealing import new_pair

# The runner builds all commands anew for each one that is typed; they do not change.
testing._get_command = cache(main.get_command)  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other door

PASSPHRASES = {
    "siti": "kuda benar baterai staples",
    "wayan": "penjaga identitas pertama",
}


ABOVE = ("--above", "ratna", "--above", "yusuf")
"""Options of ``init`` that name two people above us."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Runs commands in a folder; ``stdin`` is what somebody pipes in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, stdin: str = "", **environ: str) -> Said:
        given = {f"KENTONGAN_{name}": value for name, value in environ.items()}
        result = testing.CliRunner().invoke(app, words, input=stdin, env=given)
        return Said(result.exit_code, result.stdout, result.stderr)

    def refused(self, *words: str, stdin: str = "", **environ: str) -> str:
        """Run a command that must be refused; return its one line."""
        said = self(*words, stdin=stdin, **environ)
        assert said.code == 1, said
        assert said.err.count("\n") == 1, said.err
        assert "Traceback" not in said.err
        return said.err

    def misused(self, *words: str, **environ: str) -> str:
        """Run a command that is misused; return what it says."""
        said = self(*words, **environ)
        assert said.code == 2, said
        return said.err


def write_recovery(folder: Path) -> Path:
    """Write public halves of fresh recovery pairs; return their file."""
    path = folder / "recovery.public"
    publics = {name: new_pair().public for name in recovery_paper.PURPOSES}
    path.write_text(recovery_paper.write_public(publics))
    return path


def init(terminal: Terminal, *more: str, **environ: str) -> Said:
    """Run ``init`` as an installer does."""
    return terminal(
        "init", "--agency", "Inspektorat Contoh", "--officer", "siti", "--custodian",
        "wayan", "--recovery-public", "recovery.public", *more, **environ,
    )  # fmt: skip
