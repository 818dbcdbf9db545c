"""What a message costs: processor time and statements for each kind; prints figures of one run.

    python -m benchmarks.messages [PEOPLE]

Each message runs through the real intake: parse, a look for a repeat, the dialogue, sealing,
the outbox, one commit with a flush to disk. A letter is claimed and finished, not sent.
SQLite in a fresh folder, no network, one message at a time, then 64 at once.
"""

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.database import schema
from storage.database.database import Database
from tests.support.measured import Measured, measured, talk

AT_ONCE = 64
REPORT = "LAPOR uang diminta di loket izin oleh pegawai"


class Costs:
    """Milliseconds of processor time and statements, by kind of message."""

    def __init__(self, town: Measured) -> None:
        self.town = town
        self.spent: dict[str, list[float]] = defaultdict(list)
        self.statements: dict[str, list[int]] = defaultdict(list)

    @asynccontextmanager
    async def of(self, kind: str) -> AsyncIterator[None]:
        """Note what is spent inside as one message of this kind."""
        with self.town.counting() as counted:
            began = time.process_time()
            yield
            self.spent[kind].append((time.process_time() - began) * 1000)
        self.statements[kind].append(counted.total())

    def show(self) -> None:
        """Print one line for each kind."""
        print("kind                      ms of CPU   statements")
        for kind, spent in self.spent.items():
            statements = self.statements[kind]
            mean, count = sum(spent) / len(spent), sum(statements) / len(statements)
            print(f"{kind:24} {mean:9.2f} {count:11.1f}")


async def people_talk(town: Measured, costs: Costs, people: int) -> None:
    """Let people report, one message at a time."""
    messages = talk("full")
    for person in range(people):
        for place, text in enumerate(messages, start=1):
            last = place == len(messages)
            async with costs.of("send a full report" if last else "answer in a talk"):
                await town.say(person, text)
            async with costs.of("letter out"):
                await town.letters_go()
    for person in range(people, 2 * people):
        async with costs.of("report in one message"):
            raw = await town.say(person, REPORT)
        async with costs.of("repeat"):
            await town.again(raw)


async def people_at_once(town: Measured, people: int) -> tuple[float, float]:
    """Return messages per second and processor time of each, many at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(person: int) -> None:
        async with gate:
            await town.say(person, REPORT)

    first = 10**6
    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(first + person) for person in range(people)))
    seconds = time.perf_counter() - began
    return people / seconds, (time.process_time() - spent) * 1000 / people


async def measure(folder: Path, people: int) -> tuple[Costs, float, float]:
    """Measure on a fresh store in a folder: alone, and how many at once for how much."""
    database = Database(f"sqlite:///{folder / 'kentongan.db'}")
    schema.upgrade(database)
    async with measured(database) as town:
        costs = Costs(town)
        await people_talk(town, costs, people)
        rate, spent = await people_at_once(town, 8 * people)
    database.close()
    return costs, rate, spent


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        costs, rate, spent = asyncio.run(measure(Path(folder), people))
    costs.show()
    print(f"{AT_ONCE} at once: {rate:.0f} reports/s, {spent:.2f} ms of CPU each")


if __name__ == "__main__":
    main()
