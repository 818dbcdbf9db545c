import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from bot.console.app import ConsoleContext, routes
from bot.writer import Writer
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence.blobs import BlobStore, FolderStore
from tests.support import founded
from tests.support.browsers import ORIGIN, Clock, Desk, make_office


@pytest.fixture
def blob_store(tmp_path: Path) -> BlobStore:
    return FolderStore(tmp_path / "files")


@pytest.fixture
async def desk(
    database: Database, keys: ServerKeys, blob_store: BlobStore
) -> AsyncIterator[Desk]:
    with database.writing() as session:
        built = founded.build(session, keys)
    writer, clock = Writer(database), Clock()
    writer.start()
    context = ConsoleContext(
        writer=writer,
        database=database,
        office=make_office(keys),
        clock=clock,
        blob_store=blob_store,
        public_url=ORIGIN,
        bot_url=lambda: made.bot,
        agency="Inspektorat Contoh",
    )
    made = Desk(context, Starlette(routes=routes(context)), built, clock)
    yield made
    for client in made.clients:
        await client.aclose()
    await asyncio.to_thread(writer.stop)
