"""What stories share: receipts, histories, copies at the provider, the specs' verdict."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlmodel import SQLModel, col, func, select
from typing_extensions import override

from storage.cases import cases, history
from storage.cases.items import Content
from storage.database.database import Database
from storage.models import Case, Job, OutboxRow
from storage.words import ItemKind, JobKind
from tests.specs.conformance import check_recorded
from tests.support.phones import PATIENCE, Phone, Silence, Simulator
from tests.support.running import Running

RECEIPT = re.compile(r"(\w{4}-\w{4})\W.*?(\d{4}-\d{4}-\d{4}-\d{4})", re.DOTALL)


@dataclass(frozen=True)
class Receipt:
    """What a reporter writes down."""

    number: str
    code: str

    @override
    def __str__(self) -> str:
        return f"{self.number} {self.code}"


async def receipt(phone: Phone) -> Receipt:
    """Wait for number and code, whatever is said before them."""
    while True:
        found = RECEIPT.search(await phone.hears("-"))
        if found:
            return Receipt(found[1], found[2])


async def report(phone: Phone, story: str, word: str = "LAPOR") -> Receipt:
    """Send a report in one message and write down its receipt."""
    await phone.say(f"{word} {story}")
    return await receipt(phone)


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something in this process is so."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise Silence(f"waited in vain until {what}")
        await asyncio.sleep(0.02)


def told(town: Running, case: Case) -> list[Content]:
    """Return what a case tells its officers, in order, the choices aside."""
    return [one for one in town.read(case) if one.kind is not ItemKind.CHOICES]


def words(town: Running, case: Case) -> list[str]:
    """Return the words of a case in order."""
    return [content.text for content in told(town, case)]


def events(town: Running, case: Case) -> list[str]:
    """Return what a case's history tells."""
    with town.app.database.reading() as session:
        return [event.code for event in history.of_case(session, case.report)]


def is_unbroken(town: Running, case: Case) -> bool:
    """Tell whether a case's history is whole; nothing may be under way."""
    with town.app.database.reading() as session:
        now = cases.get(session, town.keys, case.report)
        assert now is not None
        return history.first_broken(session, town.keys, now) is None


def rows(database: Database, *tables: str) -> dict[str, int]:
    """Count the rows of some tables, or of all."""
    known = SQLModel.metadata.tables
    with database.reading() as session:
        return {
            name: session.exec(select(func.count()).select_from(known[name])).one()
            for name in tables or known
        }


def kept(database: Database, table: str) -> int:
    """Count the rows of one table."""
    return rows(database, table)[table]


async def is_quiet(town: Running) -> None:
    """Wait until nothing waits to leave, to be fetched or to be erased any more.

    What was given up does not wait: it is there for a person to try again.
    """

    def nothing() -> bool:
        return not (
            waiting(town) or under_way(town) or kept(town.app.database, "departed")
        )

    def nothing_at_all() -> bool:
        """Look twice: what moves on from one table to another must not slip through."""
        return nothing() and nothing()

    await until(nothing_at_all, "nothing waits in outbox, jobs and departed")


def under_way(town: Running) -> int:
    """Count the jobs but those that forget in their time which case was opened."""
    query = select(func.count()).select_from(Job)
    with town.app.database.reading() as session:
        return session.exec(query.where(Job.kind != JobKind.FORGET.value)).one()


def waiting(town: Running) -> int:
    """Count the letters that were not given up."""
    query = select(func.count()).select_from(OutboxRow)
    with town.app.database.reading() as session:
        return session.exec(query.where(col(OutboxRow.failed).is_(None))).one()


async def copies(simulator: Simulator, settings: dict[str, str]) -> list[str]:
    """Return what Twilio still keeps, as its API lists it."""
    account = settings["account_sid"]
    answer = await simulator.client.get(
        f"/2010-04-01/Accounts/{account}/Messages.json",
        auth=(account, settings["auth_token"]),
    )
    return [message["sid"] for message in answer.json()["messages"]]


async def spoken_as_specified(simulator: Simulator) -> bool:
    """Hold every request that the bot made against the published specs."""
    complaints = check_recorded(await simulator.requests())
    assert complaints == []
    return True
