"""``kentongan chat``: talk to the bot on the terminal, for authors of questions.

The very inbox and the very texts answer, over a store in a folder that goes when the
talk ends. Nobody is alerted, nothing is sent, no key of an installation is used.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.operations import founding
from bot.settings.sections import Settings
from bot.terminal import desk, printing
from bot.terminal.desk import ConfigFile
from handlers import inbox
from handlers.cases import receipts
from handlers.cases.receipts import Opening, Question
from handlers.conversation import receipt_lookup
from handlers.messages import Incoming, Kind, Proof
from handlers.office import Office
from handlers.work import Work
from storage import outbox
from storage.crypto.sealing import new_pair
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.jobs import jobs
from storage.people import officers
from storage.words import Channel, JobKind, Role

HANDLE = "+0000"
_AT_ONCE = 32


def chat(
    config_file: ConfigFile = None,
    channel: Annotated[
        Channel, typer.Option(case_sensitive=False, help="Whose texts to hear.")
    ] = Channel.SMS,
) -> None:
    """Talk to the bot here; nothing is kept. End with Ctrl-D."""
    settings = desk.settings_of(config_file)
    with tempfile.TemporaryDirectory(prefix="kentongan-chat-") as folder:
        talk = Talk(settings, Path(folder), channel)
        try:
            for line in _lines():
                for answer in talk.say(line):
                    typer.echo(printing.safe_lines(answer) + "\n")
        finally:
            talk.end()


class Talk:
    """A conversation with a store of its own."""

    def __init__(self, settings: Settings, folder: Path, channel: Channel) -> None:
        keys = ServerKeys.new()
        self._channel = channel
        self._count = 0
        self._office: Office = make_office(settings, keys, now=utc_now())
        self._database = Database(f"sqlite:///{folder / 'chat.db'}")
        schema.upgrade(self._database)
        people = [
            officers.prepare_account(keys, login, "", role, officers.new_passphrase())
            for login, role in (("chat", Role.SUPERVISOR), ("vault", Role.CUSTODIAN))
        ]
        plan = founding.Founding(
            agency=settings.agency.name,
            unit="chat",
            vault="vault",
            officer=people[0],
            custodian=people[1],
            recovery={name: new_pair().public for name in ("cases", "identities")},
        )
        with self._database.writing() as session:
            founding.found(session, keys, plan, now=utc_now())

    def say(self, text: str) -> list[str]:
        """Say one message; return what the bot answers."""
        now, office = utc_now(), self._office
        self._count += 1
        incoming = Incoming(
            self._channel, HANDLE, str(self._count), now, Kind.TEXT, text=text
        )
        with self._database.reading() as session:
            asked: Question | None = receipt_lookup.look(
                Work(session, office, now), incoming
            )
        opening = (
            receipts.open_with(office, asked)
            if asked is not None
            else Opening(Proof.NONE)
        )
        with self._database.writing() as session:
            inbox.receive(Work(session, office, now), incoming, opening)
        self._make_receipts()
        return list(self._answers())

    def end(self) -> None:
        """Close the store; its folder goes with it."""
        self._database.close()

    def _make_receipts(self) -> None:
        now, office = utc_now(), self._office
        with self._database.writing() as session:
            owed = jobs.claim(
                session, office.keys, JobKind.RECEIPT, limit=_AT_ONCE, now=now
            )
        for job in owed:
            with self._database.reading() as session:
                number = receipts.case_number(Work(session, office, now), job.details)
            if number is not None:
                report = bytes.fromhex(job.details["report"])
                prepared = receipts.prepare(office, report, number)
                with self._database.writing() as session:
                    receipts.give(Work(session, office, now), job, prepared)

    def _answers(self) -> Iterator[str]:
        now, office = utc_now(), self._office
        while True:
            with self._database.writing() as session:
                held = outbox.claim(
                    session, office.keys, self._channel, limit=_AT_ONCE, now=now
                )
                for letter in held:
                    outbox.dead(session, letter)
            if not held:
                return
            yield from (one.letter.text for one in held if one.letter.text)


def _lines() -> Iterator[str]:
    prompt = "> " if sys.stdin.isatty() else ""
    while True:
        try:
            yield input(prompt)
        except EOFError:
            return
