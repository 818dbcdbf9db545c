"""A desk without a network: messages go straight to the verbs, letters are read at once.

desk.say("555", "LAPOR Kepala dinas meminta uang")
receipt = desk.receipt("555")
desk.say("555", f"STATUS {receipt}")
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar

from sqlmodel import Session, select

from bot.assembly.office import make_office
from bot.settings import loading
from handlers import inbox
from handlers.cases import receipts
from handlers.cases.named import Named
from handlers.cases.receipts import Opening
from handlers.conversation import receipt_lookup
from handlers.inbox import Outcome
from handlers.messages import Incoming, Kind, Proof
from handlers.office import Office
from handlers.throttle import Echoes, Floods, Pace
from handlers.work import Work
from storage import outbox
from storage.cases import cases, items
from storage.cases.items import Opened
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.models import Case
from storage.units import memberships, units
from storage.words import Channel, JobKind, Role
from tests.support import founded as house
from tests.support.founded import Person
from tests.support.unsealing import secret_for

R = TypeVar("R")
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BUTTONS = {"TARIK": "-.Q26.YES", "LUPAKAN": "-.Q27F.YES", "HAPUS": "-.Q27C.ALL"}
"""The button that confirms an order on Telegram."""
STORY = "LAPOR Kepala dinas meminta uang dua puluh juta untuk izin usaha"


@dataclass(frozen=True)
class Slip:
    """What a reporter wrote down."""

    number: str
    code: str

    def __str__(self) -> str:
        return f"{self.number} {self.code}"


@cache
def _office() -> Office:
    environ = {"KENTONGAN_AGENCY__NAME": "Inspektorat Contoh"}
    return make_office(loading.load(None, environ), ServerKeys.new(), now=START)


def office_of(keys: ServerKeys) -> Office:
    """Return an office with the rules that come with the program.

    Its people report as often as a test wants, and in the same words.
    """
    floods = Floods(joined_from=1_000_000, same_for=timedelta())
    return replace(_office(), keys=keys, pace=Pace(), echoes=Echoes(), floods=floods)


def text(
    words: str,
    *,
    handle: str = "555",
    channel: Channel = Channel.TELEGRAM,
    name: str = "",
    **more,
) -> Incoming:
    """Return a message as a channel would tell it."""
    return Incoming(
        channel,
        handle,
        name or secrets.token_hex(8),
        more.pop("received", START),
        more.pop("kind", Kind.TEXT),
        words,
        **more,
    )


@dataclass
class Desk:
    """One house on one store; ``now`` moves by hand."""

    database: Database
    keys: ServerKeys
    office: Office
    house: house.House
    now: datetime = START
    letters: list[Letter] = field(default_factory=list)

    def act(self, verb: Callable[..., R], *args, **kwargs) -> R:
        """Run a verb in one transaction."""
        with self.database.writing() as session:
            return verb(self.work(session), *args, **kwargs)

    def work(self, session: Session) -> Work:
        """Return what a verb works with now."""
        return Work(session, self.office, self.now)

    def store(self, verb: Callable[..., R], *args, **kwargs) -> R:
        """Run a storage function that takes session, keys, … in one transaction."""
        with self.database.writing() as session:
            return verb(session, self.keys, *args, **kwargs)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def take(self, incoming: Incoming) -> Outcome:
        """Take a message as the intake does, slow hashing and all."""
        opening = Opening(Proof.NONE)
        with self.database.reading() as session:
            asked = receipt_lookup.look(self.work(session), incoming)
        if asked is not None:
            opening = receipts.open_with(self.office, asked)
        return self.act(inbox.receive, incoming, opening)

    def say(self, handle: str, words: str, **more) -> Outcome:
        return self.take(text(words, handle=handle, received=self.now, **more))

    def orders(self, handle: str, order: str, slip: Slip, **more) -> Outcome:
        """Give an order with number and code; where its question comes, press its button."""
        outcome = self.say(handle, f"{order} {slip}", **more)
        press = BUTTONS.get(order, "")
        if press and more.get("channel", Channel.TELEGRAM) is Channel.TELEGRAM:
            return self.say(handle, "", kind=Kind.PRESS, press=press, **more)
        return outcome

    def delivers(self, channel: Channel = Channel.TELEGRAM) -> list[Letter]:
        """Let everything leave; returns what left just now."""
        gone: list[Letter] = []
        with self.database.writing() as session:
            while found := outbox.claim(
                session, self.keys, channel, limit=50, now=self.now
            ):
                for one in found:
                    gone.append(one.letter)
                    assert outbox.dead(session, one)
        self.letters += gone
        return gone

    def makes_receipts(self) -> list[bool]:
        """Make every receipt that is due."""
        with self.database.writing() as session:
            due = jobs.claim(
                session, self.keys, JobKind.RECEIPT, limit=50, now=self.now
            )
        made = []
        for job in due:
            with self.database.reading() as session:
                number = receipts.case_number(self.work(session), job.details)
            assert number is not None
            report = bytes.fromhex(job.details["report"])
            prepared = receipts.prepare(self.office, report, number)
            made.append(self.act(receipts.give, job, prepared))
        return made

    def receipt(self, handle: str, channel: Channel = Channel.TELEGRAM) -> Slip:
        """Make what is due, deliver, and read this person's receipt."""
        self.makes_receipts()
        self.delivers(channel)
        return self.slip(handle)

    def slip(self, handle: str) -> Slip:
        """Read the newest receipt that was delivered to a person."""
        for letter in reversed(self.letters):
            words = letter.text.replace(".", " ").split()
            numbers = [w for w in words if len(w) == 9 and w[4] == "-"]
            codes = [w for w in words if len(w) == 19 and w.count("-") == 3]
            if letter.to == handle and numbers and codes:
                return Slip(numbers[0], codes[0])
        raise AssertionError("no receipt came")

    def reports(self, handle: str, words: str = STORY, **more) -> tuple[Case, Slip]:
        """Make a case of one message and write its receipt down."""
        assert self.say(handle, words, **more) is Outcome.TAKEN
        slip = self.receipt(handle, more.get("channel", Channel.TELEGRAM))
        return self.case(slip.number), slip

    def case(self, number: str) -> Case:
        with self.database.reading() as session:
            found = cases.by_number(session, self.keys, number)
        assert found is not None
        return found

    def reads(self, case: Case) -> list[Opened]:
        """Open a case as its unit does."""
        with self.database.reading() as session:
            secret = secret_for(
                session,
                self.keys,
                case.report,
                self.house.unit,
                self.house.unit_secret,
            )
            return items.read(session, self.keys, case.report, secret)

    def member(self, login: str, role: Role = Role.HANDLER) -> Person:
        """Add somebody to the unit."""
        chief = self.house.supervisor
        with self.database.writing() as session:
            new = house.person(session, self.keys, login, role)
            unit = units.verified(session, self.keys, self.house.unit.id)
            memberships.admit(
                session, self.keys, unit, new.officer, chief.officer, chief.secret
            )
        return new

    def named(self, case: Case) -> Named | None:
        """Read what a step of a case named last."""
        contents = (one.content for one in self.reads(case) if one.content)
        found = [one for one in map(Named.of, contents) if one is not None]
        return found[-1] if found else None


def desk(database: Database, keys: ServerKeys) -> Desk:
    """Found a house on a migrated store and open its desk."""
    with database.writing() as session:
        built = house.build(session, keys)
    return Desk(database, keys, office_of(keys), built)


def with_keys(here: Desk, keys: ServerKeys) -> Desk:
    """Return the same desk after the server key changed."""
    return replace(here, keys=keys, office=office_of(keys))


def pick(session: Session, model: type[R], **wanted) -> R:
    """Return the only row of a table with these values."""
    return session.exec(select(model).filter_by(**wanted)).one()
