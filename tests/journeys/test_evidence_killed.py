"""A server is killed in the middle of a file: it is fetched anew, and it is whole."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlmodel import select

from bot.clock import utc_now
from bot.jobs import scheduler
from bot.jobs.scheduler import Scheduler
from bot.retention.keeper import Keeper
from bot.writer import Writer
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence.blobs import FolderStore
from storage.models import Event, File
from storage.words import EventCode, FileState
from tests.journeys.gallery import adds, lying, opened
from tests.journeys.telling import Receipt, report, until
from tests.support.desk import office_of
from tests.support.listening import listening
from tests.support.phones import Phone, Simulator
from tests.support.running import environment, found
from tests.tools.chaos.machine import Front, Machine
from tests.tools.chaos.stores import Store

pytestmark = pytest.mark.faults

STORY = "Kepala gudang menjual beras bantuan, ini rekaman suaranya"
SIZE = 15_000_000
ARRIVED = 4 << 20
"""Bytes that lie on the disk before the server is killed."""
WAITS, CAME = "0 tersimpan, 1 sedang diambil", "1 tersimpan, 0 sedang diambil"


class Holding:
    """Gives every file that is asked for: one half, and the other once ``rest`` is set."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.rest = asyncio.Event()
        self.asked = 0

    async def give(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one connection; whoever was killed meanwhile is not waited for."""
        half = len(self.body) // 2
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(self.body)}\r\n\r\n"
            writer.write(head.encode() + self.body[:half])
            await writer.drain()
            await self.rest.wait()
            writer.write(self.body[half:])
            await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def holding(body: bytes) -> AsyncIterator[tuple[Holding, str]]:
    """Yield a provider of files that listens, and its address."""
    made = Holding(body)
    async with listening(made.give) as port:
        yield made, f"http://127.0.0.1:{port}"


async def asks(sari: Phone, paper: Receipt, standing: str) -> None:
    """Ask how it stands until this is said; an earlier answer may come twice."""
    await sari.say(f"STATUS {paper}")
    await sari.hears("Berkas Anda", standing)


def row_of(database: Database) -> File:
    """Return the row of the only file."""
    with database.reading() as session:
        return session.exec(select(File)).one()


def arrived(folder: Path) -> int:
    """Count the bytes of what is under way."""
    return sum(path.stat().st_size for path in folder.glob("*/*.part"))


def taken_as_told(database: Database) -> int:
    """Count how often the history says that a file was taken."""
    told = select(Event).where(Event.code == EventCode.FILE_TAKEN.value)
    with database.reading() as session:
        return len(session.exec(told).all())


def let_leases_end(url: str, folder: Path) -> None:
    """Let the minute pass for which the dead server's leases last."""
    store = Store(url, folder)
    store.age()
    store.database.close()


async def sweeps(database: Database, keys: ServerKeys, folder: Path) -> None:
    """Let the hourly sweep run as if an hour had passed."""
    writer, office = Writer(database), office_of(keys)
    writer.start()
    keeper = Keeper(
        writer, office, blob_store=FolderStore(folder), path=folder / "tombstones.log"
    )
    sweeper = Scheduler(
        writer,
        office,
        holder="later",
        blob_store=FolderStore(folder),
        keeper=keeper,
        clock=utc_now,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "_OLD_SECONDS", -60)
        await sweeper.sweep()
    await asyncio.to_thread(writer.stop)


async def test_a_file_whose_server_is_killed_half_way_is_fetched_anew(
    database_url: str, tmp_path: Path, simulator: Simulator
) -> None:
    keys, folder, front = ServerKeys.new(), tmp_path / "files", Front()
    original = secrets.token_bytes(SIZE)
    async with AsyncExitStack() as stack:
        database = stack.enter_context(closing(Database(database_url)))
        founded = found(database, keys)
        provider, address = await stack.enter_async_context(holding(original))
        environ = environment(database_url, keys, folder, simulator, front.port)
        environ["KENTONGAN_TELEGRAM__FILE_BASE_URL"] = f"{address}/file/bot"
        machine = Machine(environ, tmp_path, front)
        stack.push_async_callback(machine.clear)

        first = await machine.start()
        sari = simulator.phone("telegram")
        paper = await report(sari, STORY)
        await adds(sari, paper, "TAMBAH", "Silakan kirim tambahan")
        voice = {"name": "suara.bin", "type": "application/x-voice", "size": SIZE}
        await simulator.control("phones/telegram/send", media=[voice])
        await sari.hears("sudah dicatat")
        await until(lambda: arrived(folder) > ARRIVED, "some of it lies on disk")
        await asks(sari, paper, WAITS)
        await machine.kill(first)

        dead = row_of(database)
        assert dead.state == FileState.WAITING
        assert (dead.original_key, dead.copy_key, dead.details) == (None,) * 3
        assert lying(folder) == [".part"]
        assert arrived(folder) < SIZE

        let_leases_end(database_url, tmp_path)
        provider.rest.set()
        second = await machine.start()
        await until(
            lambda: row_of(database).state == FileState.TAKEN, "the file is taken"
        )
        await asks(sari, paper, CAME)
        assert await second.end() == 0
        assert provider.asked == 2
        assert taken_as_told(database) == 1
        whole = opened(database, keys, founded, folder, row_of(database))
        assert hashlib.sha256(whole).digest() == hashlib.sha256(original).digest()
        assert lying(folder) == [".original", ".part"], "what the dead server left"
        await sweeps(database, keys, folder)
        assert lying(folder) == [".original"]
