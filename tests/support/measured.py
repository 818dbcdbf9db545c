"""The real intake on a store of its own, and how many statements each message needs."""

import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bot.assembly.office import make_office
from bot.channels.telegram import Telegram
from bot.clock import utc_now
from bot.intake.intake import Intake
from bot.settings.loading import load
from bot.telemetry.metrics import Metrics
from bot.writer import Writer
from handlers.office import Office
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.words import Channel
from tests.support import founded

TALKS = Path(__file__).parents[2] / "benchmarks" / "talks"


def talk(name: str) -> list[str]:
    """Return what a person writes in one of the measured talks."""
    found = tomllib.loads((TALKS / f"{name}.toml").read_text("utf-8"))
    return list(found["messages"])


def update(number: int, person: int, text: str, moment: datetime) -> dict[str, Any]:
    """Return a Telegram update."""
    chat = {"id": 7_000_000_000 + person, "type": "private"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "P"}
    message = {"message_id": number, "date": int(moment.timestamp()), "chat": chat}
    return {"update_id": number, "message": {**message, "from": sender, "text": text}}


@dataclass
class Measured:
    """An intake to which people write, and a delivery that lets letters go."""

    intake: Intake
    writer: Writer
    office: Office
    counted: Counter[str] = field(default_factory=Counter)
    """Statements that the writer sent, begin included, by their first word."""
    number: int = 0

    async def say(self, person: int, text: str) -> dict[str, Any]:
        """Take one message; return it, so that it may come again."""
        self.number += 1
        raw = update(self.number, person, text, utc_now())
        await self.again(raw)
        return raw

    async def again(self, raw: dict[str, Any]) -> None:
        """Take a message as it is."""
        channel = Telegram("1:bench", api_base_url="https://127.0.0.1/bot")
        await self.intake.take(channel, raw, b"")

    async def letters_go(self) -> int:
        """Claim and finish what waits, as the provider took it; returns how many."""
        place = (self.office.keys, Channel.TELEGRAM)
        gone = 0
        while held := await self.writer.run(
            outbox.claim, *place, limit=10, now=utc_now()
        ):
            for one in held:
                await self.writer.run(
                    outbox.sent,
                    self.office.keys,
                    one,
                    provider_id="1",
                    final=True,
                    now=utc_now(),
                )
            gone += len(held)
        return gone

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Yield what is counted from here on."""
        self.counted.clear()
        yield self.counted


@asynccontextmanager
async def measured(database: Database) -> AsyncIterator[Measured]:
    """Set up a house on a migrated store, and take messages for it."""
    keys = ServerKeys.new()
    with database.writing() as session:
        founded.build(session, keys)
    office = make_office(load(None, {}), keys, now=utc_now())
    office.lexicon()
    writer = Writer(database)
    writer.start()
    with ThreadPoolExecutor(2) as hashing:
        intake = Intake(
            writer, office, metrics=Metrics(), hashing=hashing, clock=utc_now
        )
        made = Measured(intake, writer, office)

        def count(_: Any, __: Any, statement: str, *___: Any) -> None:
            made.counted[statement.split(maxsplit=1)[0]] += 1

        event.listen(database.write_engine, "before_cursor_execute", count)
        yield made
        event.remove(database.write_engine, "before_cursor_execute", count)
    writer.stop()
