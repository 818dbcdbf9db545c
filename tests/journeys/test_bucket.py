"""An agency keeps its evidence in a bucket of its own, and the bucket's machine is restarted."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.evidence import fetching
from storage.evidence import bucket, files
from storage.evidence.blobs import Blob
from storage.models import File, Job
from storage.units import units
from storage.words import FileState, JobKind
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, picture
from tests.journeys.telling import report, until
from tests.support.bucket import bucket_at, make_bucket, s3_server
from tests.support.phones import Simulator
from tests.support.running import Running, running
from tests.support.serving import free_port
from tests.support.unsealing import secret_for


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a backoff: how long it is, other tests prove."""
    monkeypatch.setattr(fetching, "_FIRST_BACKOFF", 0.1)
    monkeypatch.setattr(bucket, "TRIES", 0)


def rows(town: Running) -> list[File]:
    with town.app.database.reading() as session:
        return list(session.exec(select(File)).all())


def is_taken(town: Running) -> bool:
    return [row.state for row in rows(town)] == [FileState.TAKEN]


def copies(town: Running) -> list[bytes]:
    """Open the working copies of the only case, as its officer does."""
    case = town.only_case()
    with town.app.database.reading() as session:
        unit = units.verified(session, town.keys, town.house.unit.id)
        secret = secret_for(
            session, town.keys, case.report, unit, town.house.unit_secret
        )
        found = files.of_report(session, town.keys, case.report)
        opened = [(row.id, files.copy_key(row, secret)) for row in found]
    return [
        b"".join(town.app.blob_store.chunks(row, "copy", key))
        for row, key in opened
        if key
    ]


def tries(town: Running) -> int:
    with town.app.database.reading() as session:
        wanted = select(Job.attempts).where(Job.kind == JobKind.FETCH)
        return max(session.exec(wanted).all(), default=0)


def blobs(town: Running) -> list[Blob]:
    """Return what lies in the bucket and what waits here for it."""
    return list(town.app.blob_store.blobs())


async def test_a_photo_waits_while_the_bucket_is_away_and_then_lies_there_alone(
    tmp_path: Path, simulator: Simulator
) -> None:
    url, port = f"sqlite:///{tmp_path / 'kentongan.db'}", free_port()
    named = bucket_at(f"http://127.0.0.1:{port}", "evidence")
    more: dict[str, Any] = {
        name.removeprefix("KENTONGAN_"): value
        for name, value in named.environment.items()
    }
    async with running(url, tmp_path, simulator, **more) as town:
        sari = town.phone("telegram")
        paper = await report(sari, "Camat minta uang di loket")
        await sari.say(f"TAMBAH {paper.number} {paper.code}")
        await sari.hears("Silakan")
        photo = picture("JPEG", exif=camera())
        await sari.attach(("IMG_1.jpg", "image/jpeg", photo))
        await sari.hears("sudah dicatat")
        await sari.say("SELESAI")
        await until(lambda: tries(town) > 1, "the bucket was asked in vain")
        assert [row.state for row in rows(town)] == [FileState.WAITING]
        with s3_server(port) as address:
            make_bucket(address, "evidence")
            await until(lambda: is_taken(town), "the photo lies in the bucket")
            (copy,) = copies(town)
            assert copy.startswith(b"\xff\xd8")
            assert MARK not in copy
            await until(lambda: len(blobs(town)) == 2, "what waited here is gone")
        left = [one for one in (tmp_path / "files").glob("*/*") if one.is_file()]
        assert left == []
