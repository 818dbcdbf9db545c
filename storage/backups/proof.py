"""The proof of a backup: read to its end, put into a store of its own, checked, opened.

Faults are of two kinds. A damaged file raises: it is no backup. What the copied store
itself has wrong is told in lines: the copy is faithful, the store is not whole.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO, TypeAlias

from sqlalchemy import inspect, tuple_
from sqlmodel import Session, SQLModel, select

from storage.audit import log
from storage.backups import scratch
from storage.backups.reading import Reader, unpack
from storage.backups.records import End, Head
from storage.backups.restoring import Rows
from storage.backups.writing import named_files
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.inspection import rows as inspection
from storage.rekeying import rewriting, server_key

Since: TypeAlias = Callable[[datetime], date]
_AT_ONCE = 200


@dataclass(slots=True)
class Proof:
    """What a backup is, what it holds, and what is wrong with the store it was made of."""

    id: str
    head: Head
    end: End
    log_head: str = ""
    opened: int = 0
    faults: list[str] = field(default_factory=list)


def prove(file: BinaryIO, keys: ServerKeys, *, since: Since | None = None) -> Proof:
    """Open a backup and look at everything in it that the server key may see.

    ``since`` tells of a moment the first day whose tombstones it must still hold. Raises
    what the reader raises, SchemaTooNew, and KeyMissing for a ring that lacks an id.
    """
    reader = Reader(file, keys)
    if not schema.is_known(reader.head.schema):
        raise schema.SchemaTooNew
    _require_ids(reader.head, keys)
    with scratch.store() as connection:
        schema.bring(connection, reader.head.schema)
        sink = Rows(connection)
        end = unpack(reader, sink)
        schema.bring(connection)
        proof = Proof(reader.id, reader.head, end)
        with Session(connection, autoflush=False) as session:
            proof.log_head = log.written(log.head(session))
            first = since(reader.head.made) if since else None
            proof.faults += _faults(session, keys, end, sink.names, first)
            _open_all(session, keys, proof)
    return proof


def _require_ids(head: Head, keys: ServerKeys) -> None:
    missing = sorted(set(head.keys) - set(keys.ring))
    if missing:
        raise server_key.KeyMissing(
            f"the server key has no line {missing[0]}, which this backup needs; put it "
            "back from your copy"
        )


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
    named = {
        f"{file_id.hex()}.{which}"
        for file_id, which in named_files(session.connection())
    }
    missing = named - names - set(end.erased)
    if missing:
        yield f"evidence files missing on disk: {len(missing)}"


def _open_all(session: Session, keys: ServerKeys, proof: Proof) -> None:
    """Open all that the server key opens, and count it.

    As a rotation would, which checks each row under the key that wrote it; what it changes
    is taken back.
    """
    for step in rewriting.STEPS:
        bad = 0
        for page in _pages(session, step.model):
            with session.begin_nested() as tried:
                for row in page:
                    try:
                        step.rewrite(session, keys, row)
                    except NotAuthentic:
                        bad += 1
                    else:
                        proof.opened += 1
                session.flush()
                tried.rollback()
        if bad:
            table = step.model.__tablename__
            proof.faults.append(f"{table}: rows that do not open: {bad}")


def _pages(session: Session, model: type[SQLModel]) -> Iterator[Sequence[SQLModel]]:
    """Yield the rows of a table, some at once, in the order of their keys."""
    key = inspect(model).primary_key
    query = select(model).order_by(*key).limit(_AT_ONCE)
    page = session.exec(query).all()
    while page:
        last = inspect(page[-1]).identity
        yield page
        page = session.exec(query.where(tuple_(*key) > last)).all()
