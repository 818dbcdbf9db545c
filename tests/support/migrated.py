"""A store of today's schema, made once in a process and then copied."""

import tempfile
from functools import cache
from pathlib import Path

from storage.database import schema
from storage.database.database import Database


@cache
def empty_store() -> bytes:
    """Return a migrated SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kentongan.db"
        store = Database(f"sqlite:///{path}")
        schema.upgrade(store)
        store.scrub()
        store.close()
        return path.read_bytes()


def migrate(database: Database) -> None:
    """Bring a store to today's schema; a new SQLite file gets it by copying."""
    path = Path(database.url.database or "")
    if database.is_sqlite and path.is_file() and not path.stat().st_size:
        path.write_bytes(empty_store())
    else:
        schema.upgrade(database)
