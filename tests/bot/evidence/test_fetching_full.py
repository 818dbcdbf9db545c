"""The disk of the evidence is full: nothing half-taken is shown, and all comes once there is room."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.evidence import copying
from handlers.messages import Kind, Media
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence.blobs import FolderStore
from storage.words import FileState
from tests.bot.evidence.test_fetching_race import STEPS, World
from tests.journeys.gallery import opened
from tests.support.desk import Slip, desk
from tests.support.migrated import migrate

DISK = 4 << 20
PAGE = 4096
BODY = b"Bendahara memotong honor setiap kader.\n" * 4 * PAGE
"""Words, so that the working copy is as long as the original."""
ROOMS = {"nothing": 0, "half of it": len(BODY) // 2, "no copy": len(BODY) * 3 // 2}
WAITS, CAME = "0 tersimpan, 1 sedang diambil", "1 tersimpan, 0 sedang diambil"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a small disk of its own, where this machine lets us have one."""
    folder = tmp_path / "files"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount a small disk")
    done = subprocess.run(mount, check=False, capture_output=True)  # noqa: S603 - ours
    if done.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607 - ours


@pytest.fixture
async def world(tmp_path: Path, disk: Path):
    """Return a report with a file to fetch, and a worker whose folder is that disk."""
    with closing(Database(f"sqlite:///{tmp_path / 'k.db'}")) as database:
        migrate(database)
        here = desk(database, ServerKeys.new())
        for words in STEPS:
            here.say("555", words)
        note = (Media("ref", "text/plain", "catatan.txt"),)
        here.say("555", "", kind=Kind.MEDIA, media=note)
        here.say("555", "KIRIM")
        made = World(FolderStore(disk), here)
        made.quick.body = BODY
        made.writer.start()
        yield made
        await asyncio.to_thread(made.writer.stop)


def free(folder: Path) -> int:
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize


def fill(folder: Path, room: int) -> Path:
    """Leave so much room and no more; return what takes the rest."""
    filler = folder / "filler"
    filler.write_bytes(bytes(free(folder) - room))
    assert abs(free(folder) - room) <= PAGE
    return filler


def status(world: World, slip: Slip) -> str:
    """Ask how it stands; return all that is answered."""
    world.here.say("555", f"STATUS {slip}")
    return "\n".join(one.text for one in world.here.delivers())


@pytest.mark.parametrize("room", ROOMS)
async def test_a_file_that_finds_no_room_waits_until_there_is_some(
    world: World,
    disk: Path,
    room: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = []
    real = copying.made

    def copies(*given, **more):
        copied.append(given)
        return real(*given, **more)

    monkeypatch.setattr(copying, "made", copies)
    slip = world.here.receipt("555")
    filler = fill(disk, ROOMS[room])
    for attempt in (1, 2):
        await world.worker(world.quick).work(await world.claims())
        assert caplog.text.count("media.failed") == attempt
        assert caplog.text.count("OSError") == attempt
        assert len(copied) == (attempt if room == "no copy" else 0)
        row = world.row()
        assert row.state == FileState.WAITING
        assert (row.original_key, row.copy_key, row.details) == (None,) * 3
        assert world.names() == [], "no part of it is left"
        assert WAITS in status(world, slip)
        world.here.later(seconds=60)
    filler.unlink()
    await world.worker(world.quick).work(await world.claims())
    assert world.row().state == FileState.TAKEN
    assert world.names() == [".copy", ".original"]
    assert CAME in status(world, slip)
    assert world.evidence() == BODY
    here = world.here
    assert opened(here.database, here.keys, here.house, disk, world.row()) == BODY
