"""One run: a town, a storm, a killer; then quiet, and the books are opened."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.settings import loading
from handlers.office import Office
from storage.crypto.server_key import ServerKeys
from tests.journeys.telling import rows
from tests.support import founded as house
from tests.support.phones import PLAIN, Simulator
from tests.support.running import environment, found
from tests.tools.chaos.dice import Dice
from tests.tools.chaos.ledger import Ledger
from tests.tools.chaos.lives import Plan, live
from tests.tools.chaos.machine import Front, Machine
from tests.tools.chaos.officers import Officers
from tests.tools.chaos.people import Reporter, World
from tests.tools.chaos.stores import Store, store
from tests.tools.chaos.trouble import Trouble

RATES = {
    "telegram": {
        "429": 0.02,
        "500": 0.02,
        "lost_answer": 0.02,
        "reset": 0.01,
        "delay": 0.1,
    },
    "telegram.sendmessage": {
        "429": 0.03,
        "500": 0.03,
        "lost_answer": 0.03,
        "reset": 0.02,
        "silence": 0.003,
        "timeout": 0.003,
        "delay": 0.1,
    },
    "telegram.getupdates": {"500": 0.02, "lost_answer": 0.03, "reset": 0.02},
    "telegram.message": {"duplicate": 0.05},
    "telegram.callback_query": {"duplicate": 0.05},
    "twilio": {
        "429": 0.02,
        "500": 0.02,
        "lost_answer": 0.02,
        "reset": 0.01,
        "delay": 0.1,
    },
    "twilio.create": {
        "429": 0.03,
        "500": 0.03,
        "lost_answer": 0.05,
        "reset": 0.02,
        "silence": 0.005,
        "timeout": 0.003,
        "delay": 0.1,
    },
    "twilio.sms": {"duplicate": 0.05},
    "twilio.whatsapp": {"duplicate": 0.05},
    "webhook": {
        "lost_answer": 0.04,
        "timeout": 0.02,
        "reset": 0.04,
        "duplicate": 0.04,
        "delay": 0.2,
    },
    "webhook.status": {
        "lost_answer": 0.03,
        "reset": 0.05,
        "delay": 0.2,
        "shuffle": 0.1,
    },
}
"""Chances of each fault, by provider's API and method."""
SLOW = frozenset({"silence", "timeout"})
"""Faults that hold up a person for as long as a send may last; left to the long run."""
WEBHOOK_SECRET = "the-secret-that-only-telegram-knows"
RETRIES = "#rc=3&rp=ct,rt,5xx"
"""As docs/setup-twilio.md asks for."""
QUIET_SECONDS = 240.0


@dataclass(frozen=True)
class Size:
    """How much of everything. ``spread``: seconds over which reporters begin."""

    reporters: int
    kills: int
    gap: tuple[float, float]
    patience: tuple[float, float]
    spread: float
    whole: float
    long: bool
    officers: float

    def with_kills(self, kills: int) -> "Size":
        """Return the same run shorter or longer: as many reporters to each kill."""
        share = kills / self.kills
        return replace(
            self,
            kills=kills,
            reporters=round(self.reporters * share),
            spread=self.spread * share,
        )


LONG = Size(200, 30, (1.0, 5.0), (8.0, 20.0), 150.0, 0.5, long=True, officers=0.3)
SHORT = Size(14, 3, (0.3, 1.2), (4.0, 7.0), 2.0, 0.3, long=False, officers=0.2)
SIZES = {"long": LONG, "short": SHORT}


@dataclass
class Town:
    """Everything of one run, for the accounts."""

    seed: str
    store: Store
    simulator: Simulator
    keys: ServerKeys
    office: Office
    house: house.House
    ledger: Ledger
    machine: Machine
    people: list[Reporter]
    world: World
    officers: Officers
    trouble: Trouble
    began: float = field(default_factory=time.time)
    figures: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def town(kind: str, seed: str, size: Size, logs: Path) -> AsyncIterator[Town]:
    """Found a town on an empty store; nothing of it stays."""
    async with store(kind) as place, Simulator(scale=0.1, seed=seed) as simulator:
        await simulator.client.aclose()
        simulator.client = httpx.AsyncClient(
            base_url=simulator.url,
            timeout=70,
            trust_env=False,
            verify=PLAIN,
            # No connection is kept: one that the other side closes meanwhile would fail.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )
        keys, front = ServerKeys.new(), Front()
        founded = found(place.database, keys)
        place.keep_journal()
        folder = place.folder / "files"
        environ = environment(place.url, keys, folder, simulator, front.port)
        # Whoever insists reports anew each time: the books look for a case of each.
        environ["KENTONGAN_AGENCY__REPORTS_AN_HOUR"] = "1000"
        if kind == "postgresql":
            environ |= {
                "KENTONGAN_TELEGRAM__MODE": "webhook",
                "KENTONGAN_TELEGRAM__WEBHOOK_SECRET": WEBHOOK_SECRET,
            }
        command = ("-m", "bot", "serve")
        if not place.has_small_disk:
            command = ("-m", "tests.tools.chaos.served", "serve")
        machine = Machine(
            environ | {"CHAOS_BRIM": str(place.brim)}, logs, front, command
        )
        office = make_office(loading.load(None, environ), keys, now=utc_now())
        ledger = Ledger(simulator)
        world = World(ledger, size.patience)
        here = Town(
            seed,
            place,
            simulator,
            keys,
            office,
            founded,
            ledger,
            machine,
            await people(simulator, world, seed, size),
            world,
            Officers(
                place.database, office, founded, Dice(f"{seed}/officers"), size.officers
            ),
            Trouble(
                machine,
                place,
                ledger,
                Dice(f"{seed}/trouble"),
                size.kills,
                size.gap,
                size.long,
            ),
        )
        await simulator.webhooks(
            sms=f"{front.url}/webhooks/twilio/sms{RETRIES}",
            whatsapp=f"{front.url}/webhooks/twilio/whatsapp{RETRIES}",
        )
        try:
            yield here
        finally:
            await machine.clear()


async def people(
    simulator: Simulator, world: World, seed: str, size: Size
) -> list[Reporter]:
    """Give everybody a phone; six of ten have Telegram, one of ten only SMS."""
    found = []
    for number in range(size.reporters):
        channel = ("telegram",) * 6 + ("whatsapp",) * 3 + ("sms",)
        name = f"{channel[number % 10]}{number}"
        phone = await simulator.new_phone(name, name.rstrip("0123456789"))
        found.append(Reporter(name, phone, Dice(f"{seed}/{name}"), world))
    return found


def plan(person: Reporter, size: Size) -> Plan:
    """Decide what a reporter will do."""
    chance = person.dice.chance
    whole = person.channel != "sms" and chance("whole", size.whole)
    return Plan(
        start=person.dice.between("start", 0.0, size.spread),
        whole=whole,
        cancels=whole and chance("cancels", 0.15),
        album=chance("album", 0.4),
        edits=chance("edits", 0.4),
        twice=chance("twice", 0.2),
        asks=chance("asks", 0.4),
        stops=chance("stops", 0.1),
    )


def rates(size: Size) -> dict[str, dict[str, float]]:
    """Return the chances of each fault, by provider's API and method."""
    return {
        place: {
            fault: chance
            for fault, chance in chances.items()
            if size.long or place.startswith("webhook") or fault not in SLOW
        }
        for place, chances in RATES.items()
    }


async def play(here: Town, size: Size) -> None:
    """Let everybody live through the storm until all is quiet again."""
    follow = asyncio.create_task(here.ledger.follow())
    await here.simulator.control("storm", seed=here.seed, rates=rates(size))
    await here.machine.start()
    work = asyncio.create_task(here.officers.work())
    lives = [asyncio.create_task(live(one, plan(one, size))) for one in here.people]
    try:
        await here.trouble.rages()
        here.figures["seconds until calm"] = round(time.time() - here.began)
        await asyncio.gather(*lives)
        here.figures["seconds until all were served"] = round(time.time() - here.began)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await here.simulator.client.delete("/control/storm")
        if not size.long:
            await here.trouble._kill()  # noqa: SLF001 - the minute of its leases is skipped
        await is_quiet(here)
    finally:
        for task in (follow, work, *lives):
            task.cancel()
        await asyncio.gather(follow, work, *lives, return_exceptions=True)
    await here.ledger.look()
    here.figures["seconds"] = round(time.time() - here.began)


async def is_quiet(here: Town) -> None:
    """Wait until nothing is on its way in, out, or to the disk."""
    end = time.monotonic() + QUIET_SECONDS
    while left := await asyncio.to_thread(busy, here):
        if time.monotonic() > end:
            here.figures["never quiet"] = dict(left)
            return
        await asyncio.sleep(0.3)


def busy(here: Town) -> Counter[str]:
    """Count what still waits: letters, jobs that are due, what the providers hold."""
    found = rows(here.store.database)
    left = Counter({name: found[name] for name in ("outbox",)})
    left["jobs"] = here.store.due_jobs()
    left.update(here.ledger.waiting)
    return +left
