"""Whether a backup is one: read to its end, put into a store of its own, opened, checked.

Faults are of two kinds. A damaged file raises: it is no backup. What the copied store
itself has wrong is told in lines: the copy is faithful, the store is not whole.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO, TypeAlias

from sqlalchemy import Connection, func, inspect, table, text
from sqlmodel import Session, select
from typing_extensions import override

from storage.audit import log
from storage.backups import scratch
from storage.backups.reading import Reader, unpack
from storage.backups.records import BackupDamaged, End, Head
from storage.backups.restoring import Rows
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.inspection import rows as inspection
from storage.models import File
from storage.rekeying import rewriting, server_key
from storage.words import FileState

Since: TypeAlias = Callable[[datetime], date]
_AT_ONCE = 200


@dataclass(slots=True)
class Proof:
    """What a backup is, what it holds, and what is wrong with the store it was made of."""

    id: str
    head: Head
    end: End
    lines: int = 0
    log_head: str = ""
    opened: int = 0
    faults: list[str] = field(default_factory=list)


class _Looked(Rows):
    """Takes rows into a scratch store; of files the names alone."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.names: set[str] = set()

    @override
    def file(self, name: str, pieces: Iterable[bytes]) -> None:
        self.names.add(name)


def prove(file: BinaryIO, keys: ServerKeys, *, since: Since | None = None) -> Proof:
    """Open a backup and look at everything in it that the server key may see.

    ``since`` tells of a moment the first day whose tombstones it must still hold. Raises what the reader
    raises, SchemaTooNew, and ``rekeying.KeyMissing`` for a ring that lacks an id.
    """
    reader = Reader(file, keys)
    if not schema.is_known(reader.head.schema):
        raise schema.SchemaTooNew
    _require_ids(reader.head, keys)
    with scratch.store() as connection:
        schema.bring(connection, reader.head.schema)
        sink = _Looked(connection)
        end = unpack(reader, sink)
        _counts(connection, end)
        schema.bring(connection)
        proof = Proof(reader.id, reader.head, end)
        with Session(connection, autoflush=False) as session:
            proof.lines, mac = log.head(session)
            proof.log_head = log.written((proof.lines, mac))
            first = since(reader.head.moment) if since else None
            proof.faults += _faults(session, keys, end, sink.names, first)
            proof.opened = _open_all(session, keys, proof)
    return proof


def _require_ids(head: Head, keys: ServerKeys) -> None:
    missing = sorted(set(head.keys) - set(keys.ring))
    if missing:
        raise server_key.KeyMissing(
            f"the server key has no line {missing[0]}, which this backup needs; put it "
            "back from your copy"
        )


def _counts(connection: Connection, end: End) -> None:
    """Hold what arrived against what was said, and let SQLite look at its own pages."""
    (answer,) = connection.execute(text("PRAGMA integrity_check")).one()
    known = set(inspect(connection).get_table_names())
    found = {
        name: connection.execute(
            select(func.count()).select_from(table(name))
        ).scalar_one()
        for name in end.tables
        if name in known
    }
    if answer != "ok" or found != end.tables:
        raise BackupDamaged


def _faults(
    session: Session,
    keys: ServerKeys,
    end: End,
    names: set[str],
    since: date | None,
) -> Iterator[str]:
    broken = log.verify(session, keys)
    if broken is not None:
        yield f"the audit log is broken at line {broken}"
    else:
        yield from inspection.problems(session, keys, since=since)
    missing = set(_named(session)) - names - set(end.erased)
    if missing:
        yield f"evidence files missing on disk: {len(missing)}"


def _named(session: Session) -> Iterator[str]:
    taken = select(File).where(File.state == FileState.TAKEN.value)
    for row in session.exec(taken.execution_options(yield_per=_AT_ONCE)):
        yield f"{row.id.hex()}.original"
        if row.copy_key is not None:
            yield f"{row.id.hex()}.copy"


def _open_all(session: Session, keys: ServerKeys, proof: Proof) -> int:
    """Open all that the server key opens, as a rotation would; returns how many rows.

    A rotation checks each row under the key that wrote it. What it changes goes with the
    scratch store.
    """
    opened = 0
    for step in rewriting.STEPS:
        table = inspect(step.model).local_table
        key = table.primary_key.columns
        bad = 0
        rows = session.connection().execute(select(*key)).all()
        for start in range(0, len(rows), _AT_ONCE):
            for name in rows[start : start + _AT_ONCE]:
                row = session.get(step.model, tuple(name))
                if row is None:
                    continue
                try:
                    step.rewrite(session, keys, row)
                except NotAuthentic:
                    bad += 1
                else:
                    opened += 1
            session.flush()
            session.expunge_all()
        if bad:
            proof.faults.append(f"{table.name}: rows that do not open: {bad}")
    return opened
