"""Take a small file, then one of 20 MiB, and print by how much the peak of memory grew.

python -m tests.bot.evidence.sandbox.peak FOLDER KIND
"""

import asyncio
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from bot.channels import base
from bot.evidence.fetching import MediaWorker
from bot.writer import Writer
from handlers.messages import Kind, Media
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence.blobs import FolderStore
from storage.jobs import jobs
from storage.words import Channel, JobKind
from tests.support.desk import Desk, desk
from tests.support.hostile import jpeg
from tests.support.migrated import migrate

SIZE = 20 << 20
PIECE = 64 * 1024
STATUS, REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def kilobytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", STATUS.read_text("ascii"))
    assert found is not None
    return int(found[1])


def from_now_on() -> int:
    """Let the peak be counted anew; return what is held now, in kB."""
    REFS.write_text("5")
    return kilobytes("VmRSS")


def body(kind: str, size: int) -> bytes:
    """Return a head of this kind; the rest is made as it is sent."""
    heads = {"picture": jpeg((640, 480)), "text": b"kata ", "unknown": b"\x7fELF\0"}
    return heads[kind][:size]


class Provider:
    """Holds a file of which only one piece is ever in memory."""

    name = Channel.TELEGRAM

    def __init__(self, kind: str) -> None:
        self.kind, self.size = kind, PIECE

    @asynccontextmanager
    async def fetch(self, _: str):
        head = body(self.kind, self.size)
        filler = (b"kata " * PIECE)[:PIECE]

        async def chunks():
            yield head
            left = self.size - len(head)
            while left > 0:
                yield filler[:left]
                left -= PIECE

        yield base.Download("", chunks())


async def take(here: Desk, worker: MediaWorker, writer: Writer) -> None:
    due = await writer.run(jobs.claim, here.keys, JobKind.FETCH, limit=1, now=here.now)
    assert len(due) == 1
    assert await worker.work(due[0])


async def main(folder: Path, kind: str) -> None:
    database = Database(f"sqlite:///{folder / 'k.db'}")
    migrate(database)
    here = desk(database, ServerKeys.new())
    here.say("555", "LAPOR")
    for name in ("a", "b", "c"):
        media = (Media(name, "image/jpeg", f"{name}.jpg"),)
        here.say("555", "", kind=Kind.MEDIA, media=media)
    provider, writer = Provider(kind), Writer(database)
    writer.start()
    worker = MediaWorker(
        writer,
        here.office,
        cast("list[base.Sender]", [provider]),
        blob_store=FolderStore(folder / "files"),
        clock=lambda: here.now,
    )
    await take(here, worker, writer)
    await take(here, worker, writer)
    provider.size = SIZE
    before = from_now_on()
    await take(here, worker, writer)
    sys.stdout.write(f"{kilobytes('VmHWM') - before}\n")
    await asyncio.to_thread(writer.stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
