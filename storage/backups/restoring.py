"""A backup's rows and files put into an empty store, in one transaction.

The rows go in at the schema they were made with and are then migrated. What would let
somebody in again, or send something again unseen, is put right in the same transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnClause,
    Connection,
    Insert,
    MetaData,
    column,
    delete,
    func,
    insert,
    inspect,
    table,
    update,
)
from sqlmodel import Session, SQLModel, col, select
from typing_extensions import override

from storage.audit import log
from storage.backups.reading import Reader, Sink, unpack
from storage.backups.records import BackupDamaged, End
from storage.backups.writing import LEFT_OUT
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.evidence import blobs
from storage.evidence.blobs import BlobStore
from storage.jobs.leases import LISTED
from storage.letters.letter import FIRST
from storage.models import Job, Lease, OutboxRow

_COUNTED = {"outbox": "id", "audit": "seq"}
"""Tables whose rows PostgreSQL numbers itself."""


class StoreNotEmpty(Exception):
    """The store is not empty: a restore goes into an empty one.

    Name another database.url, or move the old database away.
    """


class Rows(Sink):
    """Takes rows into a store that is at the backup's revision; of files the names alone."""

    def __init__(self, connection: Connection) -> None:
        self.names: set[str] = set()
        self._connection = connection
        self._known = MetaData()
        self._known.reflect(connection)
        self._insert: Insert  # of the table whose rows come
        self._columns: Sequence[str]

    @override
    def table(self, name: str, columns: Sequence[str]) -> None:
        found = self._known.tables.get(name)
        if found is None or not set(columns) <= set(found.columns.keys()):
            raise BackupDamaged
        self._insert, self._columns = found.insert(), columns

    @override
    def rows(self, rows: list[tuple[Any, ...]]) -> None:
        values = [dict(zip(self._columns, row, strict=True)) for row in rows]
        self._connection.execute(self._insert, values)

    @override
    def file(self, name: str, pieces: Iterable[bytes]) -> None:
        self.names.add(name)


class Everything(Rows):
    """Takes rows into a store and files into a blob store, each named by a row and on disk."""

    def __init__(self, connection: Connection, blob_store: BlobStore) -> None:
        super().__init__(connection)
        self._blob_store = blob_store

    @override
    def file(self, name: str, pieces: Iterable[bytes]) -> None:
        match = blobs.NAME.fullmatch(name)
        if match is None:
            raise BackupDamaged
        file_id = bytes.fromhex(match[1])
        table = self._known.tables["files"]
        day = self._connection.execute(
            select(table.c.day).where(table.c.id == file_id)
        ).scalar()
        if day is None:
            raise BackupDamaged
        self._blob_store.bring_back(name, pieces, day=day)
        super().file(name, pieces)


def run(
    database: Database,
    keys: ServerKeys,
    blob_store: BlobStore,
    reader: Reader,
    *,
    now: datetime,
) -> End:
    """Put a backup into an empty store; nothing of it counts before the commit at the end.

    ``reader`` was just opened. Files come to ``blob_store`` first: one that a break left there
    is written over by the next try, what is not named is removed. Raises StoreNotEmpty,
    BackupDamaged, OSError.
    """
    with database.write_engine.begin() as connection:
        schema.be_alone(connection)
        require_empty(connection)
        schema.bring(connection, reader.head.schema)
        sink = Everything(connection, blob_store)
        end = unpack(reader, sink)
        count_on(connection)
        schema.bring(connection)
        _put_right(connection, keys, reader.head.made, now)
        for one in blob_store.blobs():
            if one.name not in sink.names:
                blob_store.discard(one.name)
    return end


def require_empty(connection: Connection) -> None:
    """Raise StoreNotEmpty if there is a table of ours, whatever it holds."""
    ours = set(SQLModel.metadata.tables)
    if schema.revision_of(connection) or ours & set(
        inspect(connection).get_table_names()
    ):
        raise StoreNotEmpty


def count_on(connection: Connection) -> None:
    """Let PostgreSQL number new rows behind those that came with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    for name, key in _COUNTED.items():
        numbers: ColumnClause[int] = column(key)
        last = func.max(numbers)
        behind = func.setval(
            func.pg_get_serial_sequence(name, key),
            func.greatest(last, 1),
            last.is_not(None),
        )
        query = select(behind).select_from(table(name, numbers))
        connection.execute(query)


def _put_right(
    connection: Connection, keys: ServerKeys, made: datetime, now: datetime
) -> None:
    """End access and leases, drop answers to presses, doubt every letter that waited.

    What Twilio holds since the backup was ``made`` is looked for again.
    """
    known = SQLModel.metadata.tables
    for name in sorted(LEFT_OUT):
        connection.execute(known[name].delete())
    seen = {"holder": "", "until": now, "cursor": int(made.timestamp())}
    connection.execute(insert(Lease), [{"name": one, **seen} for one in LISTED])
    connection.execute(delete(OutboxRow).where(col(OutboxRow.priority) == FIRST))
    free = {"lease_until": None, "lease_token": None}
    connection.execute(update(OutboxRow).values(doubtful=True, **free))
    connection.execute(update(Job).values(**free))
    with Session(connection) as session:
        detail = f"{made:%Y-%m-%dT%H:%M:%SZ}"
        log.record(
            session, keys, "store.restored", officer=None, detail=detail, now=now
        )


def waiting(session: Session) -> int:
    """Return how many letters wait that may have left since the backup."""
    query = select(func.count()).where(col(OutboxRow.doubtful).is_(True))
    return session.exec(query).one()
