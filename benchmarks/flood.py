"""How long a newcomer waits for the first answer while one sender tries wrong codes.

    python -m benchmarks.flood [SECONDS]

One run, in turns without and with a flood: one sender of two wrong codes a second. The real intake with Argon2id at full
cost, SQLite in a fresh folder, no network: from the message to its answer in the outbox.
"""

import asyncio
import contextlib
import secrets
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.assembly.office import make_office
from bot.channels.telegram import Telegram
from bot.clock import utc_now
from bot.intake.intake import Intake
from bot.settings.loading import load
from bot.telemetry.metrics import Metrics
from bot.writer import Writer
from handlers.rules import numbering
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from tests.support import founded
from tests.support.measured import update

FLOODER, EVERY = 666, 0.5
NEWCOMERS_EVERY = 0.4
TURNS = 4
"""Both take turns, so that whatever else the machine does weighs on both alike."""


class Town:
    """An intake, and who writes to it."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.channel = Telegram("1:bench", api_base_url="https://127.0.0.1/bot")
        self.numbers = iter(range(1, 10_000_000))

    async def say(self, person: int, text: str) -> float:
        """Send a message; returns the seconds until its answer was durable."""
        began = time.perf_counter()
        await self.intake.take(
            self.channel, update(next(self.numbers), person, text, utc_now()), b""
        )
        return time.perf_counter() - began

    async def tries(self) -> None:
        """Send a wrong code."""
        number = numbering.new_case_number(secrets.randbelow)
        code = numbering.new_code(secrets.randbelow)
        await self.say(FLOODER, f"STATUS {number} {code}")

    async def newcomers(self, seconds: float) -> list[float]:
        """Let somebody new report again and again; returns how long each waited."""
        waits: list[asyncio.Task[float]] = []
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            person = next(self.numbers)
            story = self.say(person, "LAPOR uang 2 juta diminta di loket izin 12")
            waits.append(asyncio.create_task(story))
            await asyncio.sleep(NEWCOMERS_EVERY)
        return list(await asyncio.gather(*waits))

    @contextlib.asynccontextmanager
    async def flooded(self) -> AsyncIterator[None]:
        """Send two wrong codes a second until the end."""
        tasks: list[asyncio.Task[None]] = []

        async def flood() -> None:
            while True:
                tasks.append(asyncio.create_task(self.tries()))
                await asyncio.sleep(EVERY)

        flooding = asyncio.create_task(flood())
        try:
            yield
        finally:
            flooding.cancel()
            await asyncio.gather(*tasks)


async def measure(folder: Path, seconds: float) -> dict[str, list[float]]:
    """Return how long newcomers waited, in seconds, without and with each flood."""
    keys = ServerKeys.new()
    database = Database(f"sqlite:///{folder / 'kentongan.db'}")
    schema.upgrade(database)
    with database.writing() as session:
        founded.build(session, keys)
    office = make_office(load(None, {}), keys, now=utc_now())
    writer = Writer(database)
    writer.start()
    waits: dict[str, list[float]] = defaultdict(list)
    with ThreadPoolExecutor(2) as hashing:
        intake = Intake(
            writer, office, metrics=Metrics(), hashing=hashing, clock=utc_now
        )
        town = Town(intake)
        await town.newcomers(1)
        for _ in range(TURNS):
            waits["no flood"] += await town.newcomers(seconds / TURNS)
            async with town.flooded():
                found = await town.newcomers(seconds / TURNS)
            waits["two wrong codes a second"] += found
    await asyncio.to_thread(writer.stop)
    database.close()
    return waits


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    seconds = float(sys.argv[1]) if sys.argv[1:] else 20.0
    with tempfile.TemporaryDirectory() as folder:
        waits = asyncio.run(measure(Path(folder), seconds))
    for name, found in waits.items():
        middle = statistics.median(found) * 1000
        late = statistics.quantiles(found, n=100)[98] * 1000
        print(
            f"{name:27}{len(found):5} newcomers  p50 {middle:6.1f} ms  p99 {late:6.1f} ms"
        )


if __name__ == "__main__":
    main()
