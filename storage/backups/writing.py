"""A backup written: a single moment of every table, and every evidence file it names.

The rows are read in one transaction that sees one moment (SQLite: a read transaction of
the write-ahead log; PostgreSQL: REPEATABLE READ, read-only), so a server may work on. They
are written in the order of their keys, and those of reports and people are random: left to
itself PostgreSQL would give them in the order in which they came. A file never changes once
it was taken, so files are copied afterwards; one that is gone by then was erased, or it is
lost and said to be.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, MetaData, Row, Table, select, text
from sqlmodel import Session, col

from storage.backups import encoding, records, scratch
from storage.backups.records import (
    ID_BYTES,
    MAGIC,
    RECORD,
    START,
    VERSION,
    End,
    FileEnd,
    FileHead,
    Head,
    Kind,
    TableHead,
    place,
)
from storage.crypto import streams
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.evidence.blobs import BlobStore
from storage.models import File
from storage.rekeying import server_key
from storage.words import FileState

LEFT_OUT = frozenset({"invitations", "leases", "link_tokens", "sessions"})
"""What ends with the machine: nobody's ended access comes back with a restored backup."""
PIECE = 1 << 20
"""Bytes of a table or a file that are in memory at once."""
_PAGE = 500


class Writer:
    """Writes a backup into an open file; ``end`` it, or it is none."""

    def __init__(self, file: BinaryIO, keys: ServerKeys) -> None:
        name, key = secrets.token_bytes(ID_BYTES), AESGCM.generate_key(256)
        locked = keys.lock(Purpose.BACKUP, key, place(name, "key"))
        file.write(MAGIC + START.pack(VERSION, name, len(locked)) + locked)
        self._stream = streams.StreamWriter(file, key, place(name, "content"))

    def head(self, head: Head) -> None:
        """Say what this backup is: the first record."""
        self._put(Kind.HEAD, records.body_of(head))

    def table(self, head: TableHead, rows: Iterable[Iterable[object]]) -> int:
        """Write a table; returns how many rows it has."""
        self._put(Kind.TABLE, records.body_of(head))
        batch, count = bytearray(), 0
        for row in rows:
            count += 1
            batch += encoding.packed(row)
            if len(batch) >= PIECE:
                self._put(Kind.ROWS, batch)
                batch.clear()
        if batch:
            self._put(Kind.ROWS, batch)
        return count

    def file(self, name: str, file: BinaryIO) -> int:
        """Write an evidence file as it lies there; returns its size in bytes."""
        self._put(Kind.FILE, records.body_of(FileHead(name)))
        digest, size = hashlib.sha256(), 0
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            self._put(Kind.DATA, piece)
        self._put(Kind.FILE_END, records.body_of(FileEnd(digest.hexdigest(), size)))
        return size

    def end(self, end: End) -> None:
        """Write the counts, and the end."""
        self._put(Kind.END, records.body_of(end))
        self._stream.end()

    def _put(self, kind: Kind, body: bytes | bytearray) -> None:
        self._stream.write(RECORD.pack(kind, len(body)) + body)


def write(
    database: Database,
    keys: ServerKeys,
    blob_store: BlobStore,
    out: BinaryIO,
    *,
    program: str,
    now: datetime,
) -> End:
    """Write a backup of a store and the files in ``blob_store`` into ``out``.

    ``program`` is our version. Returns what the backup holds. Raises SchemaTooOld for a
    store without tables, SchemaTooNew, NotAuthentic, OSError.
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
        writer.head(Head(revision, program, now.astimezone(UTC), ids))
        for table in _tables(connection, scratch.table_names(revision)):
            if table.name in LEFT_OUT:
                end.left_out.append(table.name)
                continue
            named = TableHead(table.name, [column.name for column in table.columns])
            end.tables[table.name] = writer.table(named, _rows(connection, table))
        files = list(named_files(connection))
    for file_id, which in files:
        _file(database, blob_store, writer, end, file_id, which)
    writer.end(end)
    return end


def size(database: Database, blob_store: BlobStore) -> int:
    """Estimate how many bytes a backup will have."""
    with database.read_engine.connect() as connection:
        if database.is_sqlite:
            query = (
                "SELECT page_count * page_size "
                "FROM pragma_page_count(), pragma_page_size()"
            )
        else:
            query = "SELECT pg_database_size(current_database())"
        rows = int(connection.execute(text(query)).scalar_one())
    return rows + sum(one.size for one in blob_store.blobs())


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


def _rows(connection: Connection, table: Table) -> Iterable[Row[tuple[object, ...]]]:
    query = select(table).order_by(*table.primary_key.columns)
    return connection.execute(query, execution_options={"yield_per": _PAGE})


def named_files(connection: Connection) -> Iterator[tuple[bytes, str]]:
    """Yield every evidence file that the rows of this moment name."""
    query = (
        select(col(File.id), col(File.copy_key).is_not(None))
        .where(col(File.state) == FileState.TAKEN.value)
        .order_by(col(File.id))
    )
    for file_id, has_copy in connection.execute(query):
        yield file_id, "original"
        if has_copy:
            yield file_id, "copy"


def _file(
    database: Database,
    blob_store: BlobStore,
    writer: Writer,
    end: End,
    file_id: bytes,
    which: str,
) -> None:
    """Write a file, under each name that a try gave it: only its key knows which counts."""
    found = 0
    for name in blob_store.names(file_id, which):
        try:
            file = blob_store.open(name)
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
