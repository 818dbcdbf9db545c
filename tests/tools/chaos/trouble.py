"""What befalls the servers, in seeded order: kills, a full disk, a store that is away."""

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.tools.chaos.dice import Dice
from tests.tools.chaos.ledger import Ledger
from tests.tools.chaos.machine import Machine, Server
from tests.tools.chaos.stores import Store

LEASE_SECONDS = 60.0
BRIM_SECONDS = 3.0
BUSY_SECONDS = 7.0
"""Longer than a server waits for the store."""
EXTRAS = {0.25: "disturb", 0.5: "fill"}
LONG_EXTRAS = {**EXTRAS, 0.35: "second", 0.6: "alone", 0.7: "disturb", 0.8: "suspend"}
"""What else happens, by the share of kills that came before."""


@dataclass
class Trouble:
    """``kills`` servers die, ``gap`` seconds apart; ``moments`` are when they did."""

    machine: Machine
    store: Store
    ledger: Ledger
    dice: Dice
    kills: int
    gap: tuple[float, float]
    long: bool
    moments: list[float] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    """When a server was suspended, or the store could not be written, from and to."""
    happened: Counter[str] = field(default_factory=Counter)

    async def rages(self) -> None:
        """Let everything happen, one after the other."""
        for act in self._order():
            await self._moment()
            await self._acts()[act]()

    def _order(self) -> list[str]:
        order = ["kill"] * self.kills
        extras = LONG_EXTRAS if self.long else EXTRAS
        for share, extra in sorted(extras.items(), reverse=True):
            if extra in {"second", "alone"} and self.store.postgres is None:
                continue
            order.insert(int(share * self.kills), extra)
        return order

    def _acts(self) -> dict[str, Callable[[], Awaitable[object]]]:
        return {
            "kill": self._kill,
            "disturb": self._disturb,
            "fill": self._fill,
            "second": self._second,
            "alone": self._alone,
            "suspend": self._suspend,
        }

    async def _moment(self) -> None:
        """Wait for any moment, or for one right after somebody was served."""
        await asyncio.sleep(self.dice.between("gap", *self.gap))
        if self.dice.chance("biased", 0.5):
            self.ledger.traffic.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ledger.traffic.wait(), 5)
            await asyncio.sleep(self.dice.between("after", 0.0, 0.03))

    async def _kill(self) -> None:
        victims = self.machine.living
        await self._ends(victims[self.dice.below("victim", len(victims))])
        if not self.machine.living:
            await self._ages()
        await self.machine.start()
        self.happened["restarts"] += 1

    async def _ends(self, server: Server) -> None:
        await self.machine.kill(server)
        self.moments.append(time.time())
        self.happened["kills"] += 1

    async def _ages(self) -> None:
        """Let the dead worker's minute pass; the long run sometimes really waits for it."""
        waits = self.long and self.store.postgres is not None
        if not waits or self.dice.chance("ages", 0.7):
            await asyncio.to_thread(self.store.age)
            self.happened["minutes skipped"] += 1

    async def _disturb(self) -> None:
        began = time.time()
        self.happened[await self.store.disturb(BUSY_SECONDS)] += 1
        self.away.append((began, time.time()))

    async def _fill(self) -> None:
        began = time.time()
        with self.store.full() as brim:
            if brim:
                await asyncio.sleep(BRIM_SECONDS)
                self.happened["disk full"] += 1
        self.away.append((began, time.time()))

    async def _second(self) -> None:
        await self.machine.start()
        self.happened["second replica"] += 1

    async def _alone(self) -> None:
        if len(self.machine.living) > 1:
            await self._ends(self.machine.living[0])

    async def _suspend(self) -> None:
        """Suspend a server for longer than its leases last, while another takes over."""
        server = self.machine.living[0]
        while True:
            server.signal(signal.SIGSTOP)
            if not await asyncio.to_thread(self.store.is_locked):
                break
            server.signal(signal.SIGCONT)
            await asyncio.sleep(0.05)
        began = time.time()
        await self.machine.front.closes_to(server.port)
        await self.machine.start()
        await asyncio.sleep(LEASE_SECONDS + 2 - (time.time() - began))
        server.signal(signal.SIGCONT)
        self.away.append((began, time.time()))
        self.happened["suspended"] += 1
        await asyncio.sleep(5)
        await self._ends(server)
