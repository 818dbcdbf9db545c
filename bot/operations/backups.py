"""Backups on disk: written beside, proved, then given their name; old ones go at last.

What stands under a final name was read back to its end and opened before. A backup never
overwrites anything and is never half there.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.operations.private_files import FOLDER_MODE, MODE
from bot.settings.sections import Settings
from storage.backups import proof as backup_proof
from storage.backups import writing
from storage.backups.proof import Proof, Since
from storage.backups.reading import Reader
from storage.backups.records import Unusable
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence.blobs import BlobStore
from storage.jobs import watches
from storage.jobs.watches import Watched

SUFFIX = ".kentongan"
FOLDER = Path("backups")
"""Where backups go when nobody says where, in the folder of the start."""
_PART = ".part"
_DAY_SECONDS = 86400
_SPARE = 16 << 20
_MEBIBYTE = 1 << 20


class BackupRefused(Exception):
    """The backup was not made; the line says why, and what to do."""


@dataclass(slots=True)
class Made:
    """A backup that stands, what it is, and what became of older ones."""

    path: Path
    proof: Proof
    removed: list[Path] = field(default_factory=list)
    too_old: list[Path] = field(default_factory=list)


def target_of(given: Path | None, *, now: datetime) -> Path:
    """Return the file to write: ``given``, a name of the moment in that folder, or in ours.

    Raises BackupRefused for a place that cannot be.
    """
    name = f"kentongan-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
    if given is None:
        FOLDER.mkdir(mode=FOLDER_MODE, exist_ok=True)
        return FOLDER / name
    path = given / name if given.is_dir() else given
    if path.suffix != SUFFIX:
        raise BackupRefused(f"{path}: a backup's name ends in {SUFFIX}")
    if not path.parent.is_dir():
        raise BackupRefused(f"{path.parent}: no such folder; make it, or mount it")
    return path


def make(
    database: Database,
    keys: ServerKeys,
    blob_store: BlobStore,
    path: Path,
    *,
    since: Since,
    now: datetime,
) -> Proof:
    """Write a backup of a store and the files in ``blob_store`` to ``path``, and prove it.

    Raises BackupRefused, BackupDamaged for one that does not read back, OSError and what
    the store raises; then nothing stands under that name.
    """
    if path.exists():
        raise BackupRefused(f"{path}: exists already; a backup never overwrites")
    if path.resolve().is_relative_to(blob_store.path.resolve()):
        raise BackupRefused(f"{path}: lies among the evidence; name another folder")
    _require_room(database, blob_store, path.parent)
    _clean(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PART}")
    try:
        number = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, MODE)
        with os.fdopen(number, "wb") as out:
            program = metadata.version("kentongan")
            try:
                writing.write(database, keys, blob_store, out, program=program, now=now)
            except FileNotFoundError:  # a file was erased while it was read: once more
                out.seek(0)
                out.truncate()
                writing.write(database, keys, blob_store, out, program=program, now=now)
            out.flush()
            os.fsync(number)
        proof = prove(part, keys, since=since)
        if path.exists():
            raise BackupRefused(f"{path}: exists already; a backup never overwrites")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _to_disk(path.parent)
    return proof


def prove(path: Path, keys: ServerKeys, *, since: Since) -> Proof:
    """Read a backup to its end and open all that the server key opens.

    Raises what ``storage.backups.proof.prove`` raises, and OSError.
    """
    with path.open("rb") as file:
        return backup_proof.prove(file, keys, since=since)


def since_of(settings: Settings) -> Since:
    """Return the rule from when on a backup must know what was erased."""
    zone = ZoneInfo(settings.agency.timezone)
    days = settings.retention.backup_days
    return lambda moment: (moment.astimezone(zone) - timedelta(days=days)).date()


def rotate(made: Made, keys: ServerKeys, *, keep: int) -> None:
    """Remove the oldest backups of ours beside this one, so that ``keep`` are left."""
    ours = sorted(_ours(made.path.parent, keys), reverse=True)
    for _, path in ours[keep:]:
        if path != made.path:
            path.unlink(missing_ok=True)
            made.removed.append(path)
    if made.removed:
        _to_disk(made.path.parent)


def look_for_old(made: Made, keys: ServerKeys, *, days: int, now: datetime) -> None:
    """Note backups of ours beside this one that are older than a backup may become."""
    oldest = now - timedelta(days=days)
    made.too_old = [
        path for moment, path in _ours(made.path.parent, keys) if moment < oldest
    ]


def tell(database: Database, code: str = "", *, now: datetime) -> None:
    """Tell the watch how it went: well, or a short word that says why not."""
    with database.writing() as session:
        if code:
            watches.bad(session, Watched.BACKUP, code, now=now)
        else:
            watches.good(session, Watched.BACKUP, now=now)


def _ours(folder: Path, keys: ServerKeys) -> Iterator[tuple[datetime, Path]]:
    """Yield when each backup was made that our server key opens; no other file."""
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            with path.open("rb") as file:
                yield Reader(file, keys).head.made, path
        except (OSError, Unusable):
            continue


def _require_room(database: Database, blob_store: BlobStore, target: Path) -> None:
    need = writing.size(database, blob_store) + _SPARE
    free = shutil.disk_usage(target).free
    if free < need:
        raise BackupRefused(
            f"{target}: {free // _MEBIBYTE} MiB are free and about "
            f"{need // _MEBIBYTE} MiB are needed; make room or name another folder"
        )


def _clean(folder: Path) -> None:
    """Remove what a backup left that was killed a day ago or longer."""
    old = time.time() - _DAY_SECONDS
    for part in folder.glob(f".*{SUFFIX}.*{_PART}"):
        if part.stat().st_mtime < old:
            part.unlink(missing_ok=True)


def _to_disk(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
