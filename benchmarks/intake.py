"""How many messages one process takes, one at a time and many at once; prints ratios.

    python -m benchmarks.intake

Each message runs through the real intake: look for a repeat, the dialogue, sealing, the
outbox, one commit with a flush to disk. SQLite in a fresh folder, no network.
"""

import asyncio
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.assembly.office import make_office
from bot.channels.telegram import Telegram
from bot.clock import utc_now
from bot.intake.intake import Intake
from bot.settings.loading import load
from bot.telemetry.metrics import Metrics
from bot.writer import Writer
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from tests.support import founded

PEOPLE = 300
AT_ONCE = 64


def update(number: int, person: int, text: str) -> dict[str, object]:
    """Return a Telegram update."""
    chat = {"id": 7_000_000_000 + person, "type": "private"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "P"}
    message = {"message_id": number, "date": int(time.time()), "chat": chat}
    return {
        "update_id": number,
        "message": {**message, "from": sender, "text": text},
    }


async def measure(folder: Path) -> tuple[float, float, float]:
    """Return messages per second, one at a time and many at once, and what one costs.

    That is in milliseconds of processor time, which other work on the machine leaves alone.
    """
    keys = ServerKeys.new()
    database = Database(f"sqlite:///{folder / 'kentongan.db'}")
    schema.upgrade(database)
    with database.writing() as session:
        founded.build(session, keys)
    office = make_office(load(None, {}), keys, now=utc_now())
    writer = Writer(database)
    writer.start()
    channel = Telegram("1:bench", api_base_url="https://127.0.0.1/bot")
    with ThreadPoolExecutor(2) as hashing:
        intake = Intake(
            writer, office, metrics=Metrics(), hashing=hashing, clock=utc_now
        )
        counter = iter(range(1, 10_000_000))

        async def take(person: int) -> None:
            raw = update(next(counter), person, "LAPOR uang diminta di loket izin")
            await intake.take(channel, raw, b"")

        start, spent = time.perf_counter(), time.process_time()
        for person in range(PEOPLE):
            await take(person)
        alone = PEOPLE / (time.perf_counter() - start)
        gate = asyncio.Semaphore(AT_ONCE)

        async def gated(person: int) -> None:
            async with gate:
                await take(person)

        start = time.perf_counter()
        await asyncio.gather(*(gated(PEOPLE + n) for n in range(4 * PEOPLE)))
        together = 4 * PEOPLE / (time.perf_counter() - start)
        cost = (time.process_time() - spent) * 1000 / (5 * PEOPLE)
    await asyncio.to_thread(writer.stop)
    database.close()
    return alone, together, cost


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        alone, together, cost = asyncio.run(measure(Path(folder)))
    print(f"one at a time   {alone:7.0f} reports/s")
    print(f"{AT_ONCE} at once      {together:7.0f} reports/s")
    print(f"ratio           {together / alone:7.1f}")
    print(f"processor       {cost:7.2f} ms/report")


if __name__ == "__main__":
    main()
