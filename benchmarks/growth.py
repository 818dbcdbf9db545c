"""What each page, tick and verb costs in an empty, a large and a very large store.

    python -m benchmarks.growth FOLDER [--cases 28000,1000000] [--only mine,queue] [--limit 60]

Prints processor milliseconds of one call (the least of some calls on warm caches; the client
of a page counted too, some 2 ms) and the ratio of the two largest stores. Each operation runs
in a process of its own, which is ended after the limit; what it writes is rolled back. Stores
that are not in the folder are made first (``benchmarks/large.py``).
"""

import argparse
import asyncio
import json
import os
import select
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlmodel import select as query
from starlette.applications import Starlette

from benchmarks import large
from benchmarks.large import NOW
from bot.assembly.office import make_office
from bot.console.app import ConsoleContext, routes
from bot.retention import sweeping
from bot.settings.loading import load
from bot.watch.gauges import Levels
from bot.writer import Writer
from handlers import inbox
from handlers.cases import officer as verbs
from handlers.cases.receipts import Opening
from handlers.messages import Proof
from handlers.office import Office
from handlers.retention import reports, traces
from handlers.watch import canary, digest
from handlers.work import Work
from storage import conversations, outbox
from storage.audit import log
from storage.database.database import Database
from storage.evidence.blobs import FolderStore
from storage.inspection import rows
from storage.jobs import jobs, leases, watches
from storage.models import Officer
from storage.retention import tombstones
from storage.words import Channel, JobKind, Role
from tests.support import desk as talks
from tests.support import founded
from tests.support.browsers import ORIGIN, Clock, Desk, arrive
from tests.support.founded import House, Person

TIMES = 3
LONG = 5.0
"""Seconds after which once is enough."""
EMPTY = 50
"""Cases of the store that counts as empty: a page must have something to show."""


@dataclass
class Scene:
    """A store, who works there, and what a verb works with."""

    database: Database
    office: Office
    house: House
    auditor: Person
    admin: Person
    folder: Path

    @contextmanager
    def reads(self) -> Iterator[Work]:
        """Read as a page or a tick does."""
        with self.database.reading() as session:
            yield Work(session, self.office, NOW)

    @contextmanager
    def writes(self) -> Iterator[Work]:
        """Write, and take it back."""
        with (
            self.database.write_engine.connect() as connection,
            connection.begin() as begun,
        ):
            session = founded.Session(connection, expire_on_commit=False)
            yield Work(session, self.office, NOW)
            session.flush()
            begun.rollback()


Act = Callable[[Scene], Any]


def page(path: str, role: str = "supervisor") -> Act:
    """Return what looks at a page of the console."""

    async def look(scene: Scene) -> float:
        who = {
            "supervisor": scene.house.supervisor,
            "auditor": scene.auditor,
            "admin": scene.admin,
        }[role]
        writer, clock = Writer(scene.database), Clock()
        clock.now = NOW
        writer.start()
        levels = Levels(writer, "bench", clock, scene.office.day, scene.office.keys)
        context = ConsoleContext(
            writer=writer,
            database=scene.database,
            office=scene.office,
            clock=clock,
            blob_store=FolderStore(scene.folder / "files"),
            public_url=ORIGIN,
            bot_url=lambda: "",
            agency="Contoh",
            levels=levels.read,
        )
        made = Desk(context, Starlette(routes=routes(context)), scene.house, clock)
        browser = made.signed_in(who)
        wanted = path
        if "{case}" in path:
            with scene.database.writing() as session:
                wanted = path.format(case=arrive(session, scene.office, now=NOW).number)
        found = []
        for _ in range(TIMES + 1):
            clock.pass_time(seconds=2)
            began = time.process_time()
            answer = await browser.get(wanted)
            found.append(time.process_time() - began)
            answer.raise_for_status()
        await asyncio.to_thread(writer.stop)
        return min(found[1:])

    return look


def read(act: Callable[[Work], object]) -> Act:
    """Return what reads by a session."""

    def run(scene: Scene) -> None:
        with scene.reads() as work:
            act(work)

    return run


def write(act: Callable[[Work], object]) -> Act:
    """Return what writes by a session, and takes it back."""

    def run(scene: Scene) -> None:
        with scene.writes() as work:
            act(work)

    return run


def _sms(work: Work) -> None:
    told = talks.text(
        talks.STORY, channel=Channel.TELEGRAM, handle="998877", received=NOW
    )
    inbox.receive(work, told, Opening(Proof.NONE))


def _opens(scene: Scene) -> None:
    with scene.writes() as work:
        arrive(work.store, scene.office, now=NOW)


def _first_act(scene: Scene) -> None:
    with scene.writes() as work:
        found = arrive(work.store, scene.office, now=NOW)
        verbs.take(
            work,
            found.report,
            by=work.store.get_one(Officer, scene.house.supervisor.officer.id),
        )


def _levels(scene: Scene) -> None:
    writer = Writer(scene.database)
    Levels(writer, "bench", lambda: NOW, scene.office.day, scene.office.keys).read()


OPERATIONS: dict[str, Act] = {
    "queue": page("/"),
    "queue.status": page("/?status=FOLLOW_UP"),
    "queue.group": page("/?category=RET"),
    "queue.mine": page("/?mine=1"),
    "queue.over": page("/?state=over"),
    "queue.over.rare": page("/?state=over&status=WITHDRAWN&category=RET"),
    "mine": page("/mine"),
    "case": page("/cases/{case}"),
    "requests": page("/requests"),
    "holds": page("/holds"),
    "holds.audit": page("/holds", "auditor"),
    "figures.year": page("/figures", "auditor"),
    "figures.all": page("/figures?first=2010-01-01", "auditor"),
    "log": page("/log", "auditor"),
    "log.family": page("/log?family=reveals", "auditor"),
    "reading": page("/reading", "auditor"),
    "health": page("/health", "admin"),
    "letters": page("/letters", "admin"),
    "people": page("/people", "admin"),
    "sms report": write(_sms),
    "case opened": _opens,
    "first act": _first_act,
    "traces.purge": write(traces.purge),
    "canary.sweep": write(canary.sweep),
    "warn_of_expiry": write(traces.warn_of_expiry),
    "retention.date_ends": write(reports.date_ends),
    "retention.due": read(lambda work: reports.due(work, reports.Walk())),
    "tombstones": read(
        lambda work: tombstones.unwritten(work.store, work.keys, limit=100)
    ),
    "digest due": read(digest.is_due),
    "files swept": lambda scene: sweeping.look(
        scene.database, FolderStore(scene.folder / "files")
    ),
    "levels": _levels,
    "watches": read(lambda work: watches.read(work.store)),
    "lease": write(
        lambda work: leases.hold(work.store, "scheduler", "bench", seconds=9, now=NOW)
    ),
    "claim": write(
        lambda work: outbox.claim(
            work.store, work.keys, Channel.TELEGRAM, limit=8, now=NOW
        )
    ),
    "claim.oldest": write(
        lambda work: outbox.claim(
            work.store, work.keys, Channel.TELEGRAM, limit=8, now=NOW, oldest=True
        )
    ),
    "next due": read(lambda work: outbox.next_due(work.store, Channel.TELEGRAM)),
    "job due": read(lambda work: jobs.next_due(work.store, JobKind.RECEIPT, now=NOW)),
    "known messages": read(
        lambda work: conversations.known(
            work.store, work.keys, Channel.SMS, [f"SM{n}" for n in range(50)]
        )
    ),
    "audit.log": read(lambda work: log.verify(work.store, work.keys)),
    "audit.rows": read(
        lambda work: list(rows.problems(work.store, work.keys, since=work.day))
    ),
}
SLOW = ("audit.log", "audit.rows")
"""What reads everything by its nature: measured when it is asked for."""


def scene(folder: Path, cases: int) -> Scene:
    """Open a store of a folder; it is made where it is not there."""
    database, keys = large.store(folder, cases)
    office = replace(
        make_office(load(None, {"KENTONGAN_AGENCY__NAME": "Contoh"}), keys, now=NOW)
    )
    secret = (folder / f"{cases}.secret").read_bytes()
    with database.writing() as session:
        known = {one.login: one for one in session.exec(query(Officer))}
        if "dewi" not in known:
            known["dewi"] = founded.person(session, keys, "dewi", Role.AUDITOR).officer
            known["made"] = founded.person(session, keys, "made", Role.ADMIN).officer
    with database.reading() as session:
        unit = session.exec(
            query(founded.Unit).where(founded.Unit.name == "Inspectorate")
        ).one()
    sari = Person(known["sari"], secret)
    house = House(unit, unit, sari, sari, b"", b"", b"")
    made = Scene(
        database,
        office,
        house,
        Person(known["dewi"], bytes(96)),
        Person(known["made"], bytes(96)),
        folder,
    )
    database.close()
    return made


def cost(act: Act, there: Scene) -> float:
    """Return processor seconds of one call."""
    if asyncio.iscoroutinefunction(act):
        made: Awaitable[float] = act(there)
        return asyncio.run(_awaited(made))
    found = []
    for _ in range(TIMES + 1):
        began = time.process_time()
        act(there)
        found.append(time.process_time() - began)
        if found[-1] > LONG:
            break
    return min(found[1:] or found)


async def _awaited(made: Awaitable[float]) -> float:
    return await made


def bounded(act: Act, there: Scene, limit: float) -> float | None:
    """Measure in a process of its own; None where it was ended."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(into, json.dumps(cost(act, there)).encode())
        except BaseException as error:  # noqa: BLE001 - a child that ends here
            print(f"{type(error).__name__}: {error}"[:300], file=sys.stderr)
        finally:
            os._exit(0)
    os.close(into)
    ready, _, _ = select.select([out], [], [], limit)
    told = os.read(out, 100) if ready else b""
    os.close(out)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return float(json.loads(told)) if told else None


def main() -> None:
    """Measure every operation in every store."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--cases", default=f"{EMPTY},28000,1000000")
    asked.add_argument("--only", default="")
    asked.add_argument("--limit", type=float, default=60)
    asked.add_argument("--out", type=Path)
    told = asked.parse_args()
    sizes = [int(one) for one in told.cases.split(",")]
    scenes = [scene(told.folder, size) for size in sizes]
    only = (
        told.only.split(",")
        if told.only
        else [name for name in OPERATIONS if name not in SLOW]
    )
    found: dict[str, list[float | None]] = {}
    print(
        f"{'milliseconds of processor':22}"
        + "".join(f"{size:>12,}" for size in sizes)
        + "   ratio"
    )
    for name, act in OPERATIONS.items():
        if not any(name == one or name.startswith(one + ".") for one in only):
            continue
        costs = [bounded(act, one, told.limit) for one in scenes]
        found[name] = costs
        shown = "".join(
            f"{'over ' + str(int(told.limit)) + ' s' if one is None else f'{one * 1000:.2f}':>12}"
            for one in costs
        )
        last = costs[-2:]
        ratio = (
            f"{last[1] / last[0]:8.2f}" if None not in last and len(last) > 1 else ""
        )  # type: ignore[operator] # asked just before
        print(f"{name:22}{shown}{ratio}", flush=True)
    if told.out:
        told.out.write_text(
            json.dumps({"cases": sizes, "seconds": found}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
