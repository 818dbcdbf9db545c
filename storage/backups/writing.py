"""One backup: a single moment of every table, and every evidence file it names.

The rows are read in one transaction that sees one moment (SQLite: a read transaction of
the write-ahead log; PostgreSQL: REPEATABLE READ, read-only), so a server may work on. A
file never changes once it was taken, so files are copied afterwards; one that is gone by
then was erased, or it is lost and said to be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from sqlalchemy import Connection, MetaData, Table, select, text
from sqlmodel import Session, col

from storage.backups import scratch
from storage.backups.records import End, Head, Writer
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.evidence.blobs import Shelf
from storage.models import File
from storage.rekeying import server_key
from storage.words import FileState

LEFT_OUT = frozenset({"invitations", "leases", "link_tokens", "sessions"})
"""What ends with the machine: nobody's ended access comes back with a restored backup."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Size:
    """Roughly how many bytes the rows and the evidence files take."""

    rows: int
    files: int


def write(
    database: Database,
    keys: ServerKeys,
    shelf: Shelf,
    out: BinaryIO,
    *,
    program: str,
    now: datetime,
) -> tuple[Head, End]:
    """Write a backup of a store and its files on ``shelf`` into ``out``.

    ``program`` is our version. Returns what the backup is and what it holds. Raises
    SchemaTooOld for a store without tables, SchemaTooNew, NotAuthentic, OSError.
    """
    writer, end = Writer(out, keys), End()
    with _one_moment(database) as connection:
        revision = schema.revision_of(connection)
        if not revision:
            raise schema.SchemaTooOld
        if not schema.is_known(revision):
            raise schema.SchemaTooNew
        with Session(connection, autoflush=False) as session:
            ids = tuple(sorted(server_key.ids(session, keys)))
        head = Head(revision, program, now.astimezone(UTC).isoformat(), ids)
        writer.head(head)
        for table in _tables(connection, scratch.table_names(revision)):
            if table.name in LEFT_OUT:
                end.left_out.append(table.name)
                continue
            writer.table(table.name, [column.name for column in table.columns])
            end.tables[table.name] = writer.rows(_rows(connection, table))
        named = list(named_files(connection))
    for file_id, which in named:
        _file(database, shelf, writer, end, file_id, which)
    writer.end(end)
    return head, end


def size(database: Database, shelf: Shelf) -> Size:
    """Estimate how large a backup will be."""
    with database.read_engine.connect() as connection:
        if database.is_sqlite:
            query = (
                "SELECT page_count * page_size "
                "FROM pragma_page_count(), pragma_page_size()"
            )
        else:
            query = "SELECT pg_database_size(current_database())"
        rows = int(connection.execute(text(query)).scalar_one())
    return Size(rows, sum(one.size for one in shelf.lying()))


def _one_moment(database: Database) -> Connection:
    connection = database.read_engine.connect()
    if database.is_sqlite:
        return connection
    return connection.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def _tables(connection: Connection, names: frozenset[str]) -> list[Table]:
    """Return our tables as they are, at whatever revision; a foreign table is not ours."""
    found = MetaData()
    found.reflect(connection, only=sorted(names))
    return [found.tables[name] for name in sorted(names)]


def _rows(connection: Connection, table: Table) -> Iterator[tuple[object, ...]]:
    options = {"yield_per": _PAGE}
    for row in connection.execute(select(table), execution_options=options):
        yield tuple(row)


def named_files(connection: Connection) -> Iterator[tuple[bytes, str]]:
    """Yield every evidence file that the rows of this moment name."""
    query = select(col(File.id), col(File.copy_key).is_not(None)).where(
        col(File.state) == FileState.TAKEN.value
    )
    for file_id, has_copy in connection.execute(query):
        yield file_id, "original"
        if has_copy:
            yield file_id, "copy"


def _file(
    database: Database,
    shelf: Shelf,
    writer: Writer,
    end: End,
    file_id: bytes,
    which: str,
) -> None:
    """Write a file, under each name that a try gave it: only its key knows which counts."""
    found = 0
    for name in shelf.names(file_id, which):
        try:
            file = shelf.open(name)
        except FileNotFoundError:
            continue
        with file:
            end.bytes += writer.file(name, file)
        end.files += 1
        found += 1
    if not found:
        name = f"{file_id.hex()}.{which}"
        (end.lost if _is_there(database, file_id) else end.erased).append(name)


def _is_there(database: Database, file_id: bytes) -> bool:
    with database.reading() as session:
        row = session.get(File, file_id)
        return row is not None and row.state == FileState.TAKEN
