"""Files without rows, and rows without files: looked for every hour, and by the doctor."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from storage.database import Database
from storage.models import File
from storage.shelf import NAME, Lying, Shelf
from storage.words import FileState

_KNOWN = select(File.id).where(
    col(File.state).in_((FileState.WAITING.value, FileState.TAKEN.value))
)


@dataclass(frozen=True, slots=True)
class Looked:
    """``strays`` are files that no row names; ``lost`` counts files of rows, not there."""

    strays: tuple[Lying, ...]
    lost: int


def look(database: Database, shelf: Shelf) -> Looked:
    """Hold the shelf against the rows. Raises OSError."""
    with database.reading() as session:
        known = {one.hex() for one in session.exec(_KNOWN).all()}
        wanted = tuple(_wanted(session))
    strays, there = [], set()
    for one in shelf.lying():
        name = NAME.fullmatch(one.name)
        if name is None or name[1] not in known:
            strays.append(one)
        else:
            there.add(f"{name[1]}.{name[2]}")
    lost = {one for one, name in wanted if name not in there}
    return Looked(tuple(strays), len(_still_there(database, lost)) if lost else 0)


def _wanted(session: Session) -> Iterator[tuple[bytes, str]]:
    """Yield what has to lie on the shelf: a row's id and a file's name."""
    rows = session.exec(
        select(File.id, col(File.copy_key).is_not(None)).where(
            File.state == FileState.TAKEN.value
        )
    ).all()
    for file_id, has_copy in rows:
        yield file_id, f"{file_id.hex()}.original"
        if has_copy:
            yield file_id, f"{file_id.hex()}.copy"


def _still_there(database: Database, ids: set[bytes]) -> set[bytes]:
    """Leave out what was erased while we looked."""
    with database.reading() as session:
        return {one for one in ids if session.get(File, one) is not None}
