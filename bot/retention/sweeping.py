"""Finds files without rows and rows without files, every hour and for the doctor."""

from dataclasses import dataclass

from sqlmodel import col, select

from storage.backups.writing import named_files
from storage.database.database import Database
from storage.evidence.blobs import NAME, Blob, BlobStore
from storage.models import File
from storage.words import FileState

_KNOWN = select(File.id).where(
    col(File.state).in_((FileState.WAITING.value, FileState.TAKEN.value))
)


@dataclass(frozen=True, slots=True)
class Looked:
    """``strays`` are files that no row names; ``lost`` counts files of rows, not there."""

    strays: tuple[Blob, ...]
    lost: int


def look(database: Database, blob_store: BlobStore) -> Looked:
    """Compare the blob store with the rows. Raises OSError."""
    with database.reading() as session:
        known = {one.hex() for one in session.exec(_KNOWN).all()}
        wanted = tuple(named_files(session.connection()))
    strays, there = [], set()
    for one in blob_store.blobs():
        name = NAME.fullmatch(one.name)
        if name is None or name[1] not in known:
            strays.append(one)
        else:
            there.add(f"{name[1]}.{name[2]}")
    lost = {one for one, which in wanted if f"{one.hex()}.{which}" not in there}
    return Looked(tuple(strays), len(_still_there(database, lost)) if lost else 0)


def _still_there(database: Database, ids: set[bytes]) -> set[bytes]:
    """Leave out what was erased while we looked."""
    with database.reading() as session:
        return {one for one in ids if session.get(File, one) is not None}
