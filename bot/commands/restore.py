"""``kentongan restore``: a backup put into an empty store, on this machine or another."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.assembly.office import make_blob_store
from bot.clock import utc_now
from bot.commands import backup
from bot.operations import backups
from bot.operations.private_files import FOLDER_MODE, write_private
from bot.settings.sections import Settings
from bot.terminal import desk, printing
from bot.terminal.desk import RESTORING, AsJson, ConfigFile, Refused
from storage.backups import restoring
from storage.backups.proof import Proof
from storage.backups.reading import Reader
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import COMMAND_WAIT, Database
from storage.evidence.blobs import BlobStore
from storage.rekeying import server_key

_SPARE = 16 << 20
_MEBIBYTE = 1 << 20


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup of ours.")],
    config_file: ConfigFile = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    with_faults: Annotated[
        bool,
        typer.Option(
            "--with-faults", help="Even if the store that was copied was not whole."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty store: everything is verified before anything is written.

    One that was interrupted is run again, with the same words.
    """
    settings = desk.settings_of(config_file)
    keys = desk.server_keys(settings)
    if not file.is_file():
        raise Refused(f"{file}: no such file; name a backup")
    blob_store = make_blob_store(settings)
    with closing(_store(settings)) as database:
        _refuse_full(database, blob_store)
        proof = backups.prove(file, keys, since=backups.since_of(settings))
        if proof.faults and not with_faults:
            raise Refused(
                f"{file} is a true copy of a store that was not whole: "
                f"{'; '.join(proof.faults)}; take an older backup, or give --with-faults"
            )
        _require_room(settings, proof)
        if not yes:
            _ask(file, proof)
        _restore(database, keys, blob_store, file, proof)
        with database.reading() as session:
            letters = restoring.waiting(session)
        unfinished = keys.newest > max(proof.head.keys)
    if as_json:
        facts = backup.facts(file, proof) | {"letters_in_doubt": letters}
        typer.echo(json.dumps(facts, indent=2))
        return
    typer.echo(backup.told(file, proof))
    for line in _next(settings, proof, letters, rotate=unfinished):
        typer.echo(line)


def _store(settings: Settings) -> Database:
    """Open the store to be filled; of SQLite its file is made."""
    path = desk.sqlite_file(settings)
    if path is not None:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return Database(settings.database.url.get_secret_value(), wait=COMMAND_WAIT)


def _refuse_full(database: Database, blob_store: BlobStore) -> None:
    """Refuse a server that works, a store with anything in it, and foreign files."""
    if schema.current(database):
        server_key.refuse_running(database, now=utc_now())
    with database.read_engine.connect() as connection:
        restoring.require_empty(connection)
    if (blob_store.path / RESTORING).exists():
        return
    if any(blob_store.blobs()):
        raise Refused(
            f"{blob_store.path}: holds evidence of another store, or its bucket does; "
            "move it away, or name another files.path or bucket.prefix"
        )


def _require_room(settings: Settings, proof: Proof) -> None:
    folder = settings.files.path
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    free, need = shutil.disk_usage(folder).free, proof.end.bytes + _SPARE
    if free < need:
        raise Refused(
            f"{folder}: {free // _MEBIBYTE} MiB are free and {need // _MEBIBYTE} MiB are "
            "needed; make room first"
        )


def _ask(file: Path, proof: Proof) -> None:
    if not sys.stdin.isatty():
        raise Refused("nobody can be asked here; look at the backup, then give --yes")
    typer.echo(backup.told(file, proof))
    typer.confirm("Put it into this empty store?", abort=True)


def _restore(
    database: Database,
    keys: ServerKeys,
    blob_store: BlobStore,
    file: Path,
    proof: Proof,
) -> None:
    """Do it; the mark tells the next try, and ``init``, that this one did not end.

    What was proved and shown goes in, and no older backup put in its place meanwhile.
    """
    mark = blob_store.path / RESTORING
    with file.open("rb") as opened:
        reader = Reader(opened, keys)
        if reader.id != proof.id:
            raise Refused(
                f"{file}: another backup took its place while it was read; nothing was "
                "written; find out who did that"
            )
        if not mark.exists():
            write_private(mark, f"{reader.id}\n")
        restoring.run(database, keys, blob_store, reader, now=utc_now())
    mark.unlink()
    database.scrub()


def _next(
    settings: Settings, proof: Proof, letters: int, *, rotate: bool
) -> Iterator[str]:
    tombstones: Any = settings.retention.tombstones_file
    yield f"Restored. Its head of the audit log: {proof.log_head}"
    yield (
        "Is a later head kept elsewhere? Then acts between the two are lost; tell the "
        "auditor. Whoever was removed, and whatever passphrase was changed since the "
        "backup, is as before: look at `kentongan officer list` and remove them again "
        "before you start."
    )
    yield (
        "Nobody is signed in; links and invitations are void. Letters that waited: "
        f"{letters}, each may have left before. A STOP since then is forgotten."
    )
    yield (
        f"Put the newest tombstones file to {printing.safe(str(tombstones))} now: at its "
        "start the server erases again what was erased since."
    )
    if rotate:
        yield "The server key has a newer line: run `kentongan keys rotate` first."
    yield "Next: `kentongan audit verify`, `kentongan doctor`, `kentongan serve`."
