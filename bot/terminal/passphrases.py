"""Asks for passphrases: new ones, known ones, and that of an officer who is present.

In this order: the lines of ``KENTONGAN_PASSPHRASE``, the terminal, the lines of
standard input. A new one may also be made: with ``--generate``, or by an empty answer
at the terminal; it is shown once. ``ask`` opens the key of an officer who is present.
"""

import os
import sys
from dataclasses import dataclass, field
from typing import Annotated

import typer

from bot.terminal.desk import Desk, Refused
from storage.crypto.sealing import NotAuthentic
from storage.models import Officer
from storage.people import officers
from storage.people.officers import MIN_PASSPHRASE, PassphraseTooShort, new_passphrase

Generate = Annotated[
    bool,
    typer.Option("--generate", help="Make new passphrases and show them once."),
]


class Passphrases:
    """Answers one question after the other; ``made`` is what to show once at the end."""

    def __init__(self, *, generate: bool) -> None:
        self._generate = generate
        self._given = os.environ.get("KENTONGAN_PASSPHRASE", "").splitlines()
        self._from_environ = bool(self._given)
        self._last = ""
        self.made: dict[str, str] = {}

    def new(self, login: str, *, share: bool = False) -> str:
        """Return the passphrase of a new account. Raises Refused, PassphraseTooShort.

        ``share``: where the environment holds a single line, take it once more.
        """
        if self._generate:
            return self._make(login)
        if share and self._from_environ and not self._given:
            typer.echo(
                f"warning: {login} gets the same passphrase; give two lines to keep "
                "two people apart",
                err=True,
            )
            return self._last
        given = self._ask(login, confirm=True)
        if not given:
            return self._make(login)
        if len(given) < MIN_PASSPHRASE:
            raise PassphraseTooShort
        self._last = given
        return given

    def known(self, login: str) -> str:
        """Return the passphrase of somebody who is present. Raises Refused."""
        return self._ask(login, confirm=False)

    def show(self) -> None:
        """Print what was made, once."""
        for login, passphrase in self.made.items():
            typer.echo(f"Passphrase of {login} (shown once): {passphrase}")

    def _make(self, login: str) -> str:
        self.made[login] = new_passphrase()
        return self.made[login]

    def _ask(self, login: str, *, confirm: bool) -> str:
        if self._given:
            return self._given.pop(0).strip()
        if sys.stdin.isatty():
            return self._prompt(login, confirm=confirm)
        line = sys.stdin.readline().strip()
        if not line:
            more = ", or make one with --generate" if confirm else ""
            raise Refused(
                f"no passphrase for {login}: give it as the next line of "
                f"KENTONGAN_PASSPHRASE or of standard input{more}"
            )
        return line

    def _prompt(self, login: str, *, confirm: bool) -> str:
        hint = " (at least 16 characters; empty: make one)" if confirm else ""
        first = hidden(f"Passphrase of {login}{hint}")
        if confirm and first and first != hidden("Once more"):
            raise Refused("the two passphrases differ; start again")
        return first


def hidden(question: str) -> str:
    """Ask at the terminal without showing what is typed."""
    answer: str = typer.prompt(
        question, default="", hide_input=True, show_default=False, err=True
    )
    return answer.strip()


@dataclass(frozen=True, slots=True)
class Present:
    """An officer and their secret key, for one act."""

    officer: Officer
    secret: bytes = field(repr=False)


def ask(seat: Desk, login: str, passphrases: Passphrases) -> Present:
    """Ask for an officer's passphrase. Raises NoSuchOfficer, Refused."""
    with seat.database.reading() as session:
        officer = officers.verified(session, seat.keys, login)
    try:
        secret = officers.unwrap(seat.keys, officer, passphrases.known(officer.login))
    except NotAuthentic:
        raise Refused(f"the passphrase of {officer.login} is not right") from None
    return Present(officer, secret)
