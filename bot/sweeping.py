"""Files without rows, and rows without files: looked for every hour, and by the doctor."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from storage import shelf
from storage.database import Database
from storage.models import File
from storage.words import FileState


@dataclass(frozen=True, slots=True)
class Looked:
    """``strays`` are paths that no row names; ``lost`` counts files of rows, not there."""

    strays: tuple[Path, ...]
    lost: int


def look(database: Database, folder: Path) -> Looked:
    """Hold the folder against the rows. Raises OSError."""
    with database.reading() as session:
        known = {one.hex() for one in session.exec(select(File.id)).all()}
        wanted = tuple(_wanted(session))
    there = {path.name: path for path in folder.glob("*/*")}
    strays = [path for path in there.values() if not _is_known(path, known)]
    lost = {one for one, name in wanted if name not in there}
    return Looked(tuple(strays), len(_still_there(database, lost)) if lost else 0)


def _is_known(path: Path, known: set[str]) -> bool:
    return path.name.partition(".")[0] in known and path.suffix != shelf.PART


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
