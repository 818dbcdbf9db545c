"""What the memory of a real server holds after a day of reports: nothing of them.

A thief with the rights of root, or of the machine under a virtual one, reads the memory of
the process. What passes through it is there for a moment; half an hour later it must not be.
"""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from storage.database.database import Database
from tests.journeys.telling import Receipt, report, rows, until
from tests.support.browsers import Page
from tests.support.phones import PLAIN, Phone, Simulator
from tests.support.process import Process, serving, settled
from tests.support.running import environment
from tests.support.serving import free_port

pytestmark = [pytest.mark.faults, pytest.mark.long]

CHANNELS = ("telegram", "whatsapp", "sms")
OF_EACH = 10
PATIENCE = 60.0
FORMS = ("ascii", "utf-16-le", "utf-32-le")
"""How Python keeps letters, by the widest of a text."""
PASSPHRASE = "sandi-yang-salah-sangat-panjang-4711"
REFUSED = (400, 401, 403, 422)


@dataclass(frozen=True)
class Reporter:
    """Somebody who told us something: every mark is nowhere else."""

    phone: Phone
    handle: str
    story: str
    receipt: Receipt


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[tuple[Process, Simulator, Database]]:
    url, keys, _ = settled(tmp_path)
    port = free_port()
    async with Simulator() as simulator:
        environ = environment(url, keys, tmp_path / "files", simulator, port)
        with serving(tmp_path, port, environ) as process:
            if not readable(process.running.pid):
                pytest.skip("only root may read the memory of a closed process")
            hooks = f"{process.url}/webhooks/twilio"
            await simulator.webhooks(sms=f"{hooks}/sms", whatsapp=f"{hooks}/whatsapp")
            database = Database(url)
            yield process, simulator, database
            database.close()


async def test_nothing_of_a_day_is_in_memory(town) -> None:
    process, simulator, database = town
    people = [
        await reporter(simulator, channel, number)
        for number in range(OF_EACH)
        for channel in CHANNELS
    ]
    await until(lambda: is_quiet(database), "nothing waits to leave")
    async with httpx.AsyncClient(base_url=process.url, verify=PLAIN) as client:
        door = Page(await client.get("/console/sign-in"))
        typed = {**door.fields, "login": "budi", "passphrase": PASSPHRASE}
        answer = await client.post("/console/sign-in", data=typed)
        assert answer.status_code in REFUSED
    found = await forgotten(process.running.pid, people)
    assert not found


async def forgotten(pid: int, people: list[Reporter]) -> dict[str, set[str]]:
    """Look until nothing is left or a minute is over; return what is left."""
    end = time.monotonic() + PATIENCE
    while (found := marks_in(pid, people)) and time.monotonic() < end:  # noqa: ASYNC110 - nobody tells when memory is freed
        await asyncio.sleep(PATIENCE / 10)
    return found


async def reporter(simulator: Simulator, channel: str, number: int) -> Reporter:
    """Let somebody new report something, as people do, and keep the receipt."""
    name = f"{channel}-{number}"
    phone = await simulator.new_phone(name, channel)
    story = f"Kadis-{secrets.token_hex(8)} minta uang di gudang {secrets.token_hex(4)}"
    paper = await report(phone, story)
    seen = await phone.look()
    return Reporter(phone, seen["address"], story, paper)


def is_quiet(database: Database) -> bool:
    found = rows(database)
    return not (found["outbox"] or found["jobs"] or found["departed"])


def marks_in(pid: int, people: list[Reporter]) -> dict[str, set[str]]:
    """Return which stories, codes and handles stand in the memory of a process."""
    wanted = {PASSPHRASE.encode(form): ("passphrase", "") for form in FORMS}
    for one in people:
        told = {
            "story": (re.findall(r"[0-9a-f]{16}", one.story)[0],),
            "code": (one.receipt.code, one.receipt.code.replace("-", "")),
            "handle": (one.handle.lstrip("+"),),
        }
        for kind, marks in told.items():
            for mark in marks:
                for form in FORMS:
                    wanted[mark.encode(form)] = (kind, mark)
        if one.handle.isdigit():  # as Python keeps a number
            low, high = int(one.handle) & (2**30 - 1), int(one.handle) >> 30
            digits = low.to_bytes(4, "little") + high.to_bytes(4, "little")
            wanted[digits] = ("handle", one.handle)
    pattern = re.compile(b"|".join(re.escape(mark) for mark in wanted))
    found: dict[str, set[str]] = {}
    for part in memory(pid):
        for match in pattern.finditer(part):
            kind, mark = wanted[match[0]]
            found.setdefault(kind, set()).add(mark)
    return found


def readable(pid: int) -> bool:
    """Tell whether we may read the memory of a process that is closed to its own account."""
    try:
        Path(f"/proc/{pid}/mem").open("rb").close()
    except PermissionError:
        return False
    return True


def memory(pid: int) -> Iterator[bytes]:
    """Yield every writable part of a process's memory."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            begin, end = (int(part, 16) for part in place.split("-"))
            if "w" in rights and "[v" not in line:
                mem.seek(begin)
                yield mem.read(end - begin)
