"""The files of a case whose evidence lies in a bucket: on the page nobody sees a difference."""

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from storage.evidence import bucket
from storage.evidence.blobs import BlobStore
from tests.bot.evidence.sandbox.test_pictures import picture
from tests.support.browsers import Browser, Desk
from tests.support.bucket import new_bucket, s3_server
from tests.support.files import put

WORDS = "Camat minta uang. " * 200_000


@pytest.fixture
def server() -> Iterator[ExitStack]:
    """Return what stops the bucket's server."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def blob_store(
    tmp_path: Path, server: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> BlobStore:
    monkeypatch.setattr(bucket, "TRIES", 0)
    address = server.enter_context(s3_server())
    return new_bucket(address).blob_store(tmp_path / "waiting")


@pytest.fixture
def officer(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.supervisor)


async def test_a_photo_is_shown_and_nothing_of_it_stays_on_the_disk(
    desk: Desk, officer: Browser
):
    case = desk.case()
    place = f"/cases/{case.number}/files/{put(desk, case, 'a.jpg', picture('JPEG'))}"
    small = await officer.get(f"{place}/preview")
    assert Image.open(io.BytesIO(small.content)).format == "JPEG"
    whole = await officer.get(place)
    assert Image.open(io.BytesIO(whole.content)).format == "JPEG"
    assert [
        path for path in desk.context.blob_store.path.rglob("*") if path.is_file()
    ] == []


async def test_parts_of_a_large_file_are_sent(desk: Desk, officer: Browser):
    case, body = desk.case(), WORDS.encode()
    place = f"/cases/{case.number}/files/{put(desk, case, 'isi.txt', body)}"
    sent = await officer.get(place, headers={"range": "bytes=3000000-3400000"})
    assert sent.status_code == 206
    assert sent.content == body[3_000_000:3_400_001]


async def test_a_store_that_is_away_is_said_and_a_file_that_is_gone_too(
    desk: Desk, officer: Browser, server: ExitStack
):
    case = desk.case()
    gone, here = (put(desk, case, "isi.txt", WORDS.encode()) for _ in range(2))
    desk.context.blob_store.remove(bytes.fromhex(gone))
    missing = await officer.get(f"/cases/{case.number}/files/{gone}")
    assert missing.status_code == 404
    server.close()
    away = await officer.get(f"/cases/{case.number}/files/{here}")
    assert away.status_code == 503
    assert "cannot be shown just now" in away.text
