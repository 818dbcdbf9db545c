"""``kentongan backup``: one encrypted file of everything that must not be lost, and proved."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.assembly.office import make_blob_store
from bot.clock import utc_now
from bot.operations import backups
from bot.operations.backups import Made
from bot.settings.sections import Settings
from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile, Desk, Refused
from storage.backups.proof import Proof
from storage.backups.records import BackupDamaged

_MEBIBYTE = 1 << 20
_MOST_FAULTS = 3


def backup(
    config_file: ConfigFile = None,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File or folder; else backups/ in this folder."
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Leave so many backups of ours in that folder."),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Make none: look at this one again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back up database and evidence into one encrypted file, and open it to prove it.

    The server may run. The server key, config.toml and the tombstones are not in it.
    """
    if verify is not None:
        if to is not None or keep is not None:
            raise typer.BadParameter("--verify goes alone")
        _verify(config_file, verify, as_json=as_json)
        return
    with desk.sit_down(config_file) as seat:
        made = _make(seat, to, keep)
    if as_json:
        typer.echo(json.dumps(facts(made.path, made.proof) | _older(made), indent=2))
    else:
        _say(seat.settings, made)
    for path in made.too_old:
        days = seat.settings.retention.backup_days
        typer.echo(
            f"{printing.safe(str(path))}: older than retention.backup_days ({days}): "
            "what was erased since is still in it; delete it",
            err=True,
        )
    refuse_faults(made.path, made.proof)


def _make(seat: Desk, to: Path | None, keep: int | None) -> Made:
    """Make a backup and tell the watch how it went, whatever came of it."""
    settings, now = seat.settings, utc_now()
    try:
        path, proof = written(seat, to, now=now)
    except Exception as error:
        code = "damaged" if isinstance(error, BackupDamaged) else "refused"
        backups.tell(seat.database, code, now=utc_now())
        raise
    made = Made(path, proof)
    backups.tell(seat.database, "store" if proof.faults else "", now=utc_now())
    if keep is not None and not proof.faults:
        backups.rotate(made, seat.keys, keep=keep)
    days = settings.retention.backup_days
    backups.look_for_old(made, seat.keys, days=days, now=now)
    return made


def written(seat: Desk, to: Path | None, *, now: datetime) -> tuple[Path, Proof]:
    """Write a backup to a file or into a folder, and prove it; raises as ``backups.make``."""
    path = backups.target_of(to, now=now)
    proof = backups.make(
        seat.database,
        seat.keys,
        make_blob_store(seat.settings),
        path,
        since=backups.since_of(seat.settings),
        now=now,
    )
    return path, proof


def _verify(config_file: Path | None, path: Path, *, as_json: bool) -> None:
    settings = desk.settings_of(config_file)
    keys = desk.server_keys(settings)
    proof = backups.prove(path, keys, since=backups.since_of(settings))
    if as_json:
        typer.echo(json.dumps(facts(path, proof), indent=2))
    else:
        typer.echo(told(path, proof))
        typer.echo(f"Its head of the audit log: {proof.log_head}")
    refuse_faults(path, proof)


def refuse_faults(path: Path, proof: Proof) -> None:
    """Raise Refused when the store that a backup copies is not whole."""
    if not proof.faults:
        return
    shown = "; ".join(proof.faults[:_MOST_FAULTS])
    more = len(proof.faults) - _MOST_FAULTS
    raise Refused(
        f"{path} stands and is a true copy, but of a store that is not whole: {shown}"
        + (f"; and {more} more" if more > 0 else "")
        + "; keep older backups and run `kentongan audit verify`"
    )


def told(path: Path, proof: Proof) -> str:
    """Return one line that says what a backup is."""
    end = proof.end
    size = path.stat().st_size / _MEBIBYTE
    erased = f", {len(end.erased)} erased meanwhile" if end.erased else ""
    return (
        f"{printing.safe(str(path))}: of {proof.head.made:%Y-%m-%d %H:%M:%S} UTC, schema "
        f"{proof.head.schema}, {sum(end.tables.values())} rows, {end.tables['cases']} "
        f"cases, {end.files} evidence files{erased}, {size:.1f} MiB: read back and opened"
    )


def facts(path: Path, proof: Proof) -> dict[str, Any]:
    """Return what a backup is, for other programs."""
    head, end = proof.head, proof.end
    return {
        "file": str(path),
        "id": proof.id,
        "made": head.made.isoformat(),
        "schema": head.schema,
        "program": head.program,
        "server_keys": list(head.keys),
        "rows": end.tables,
        "left_out": end.left_out,
        "evidence_files": end.files,
        "evidence_bytes": end.bytes,
        "erased_meanwhile": end.erased,
        "lost": end.lost,
        "opened": proof.opened,
        "audit_head": proof.log_head,
        "faults": proof.faults,
    }


def _older(made: Made) -> dict[str, Any]:
    return {
        "removed": [str(path) for path in made.removed],
        "too_old": [str(path) for path in made.too_old],
    }


def _say(settings: Settings, made: Made) -> None:
    typer.echo(told(made.path, made.proof))
    for path in made.removed:
        typer.echo(f"{printing.safe(str(path))}: removed")
    lines = " and ".join(str(number) for number in made.proof.head.keys)
    typer.echo(f"Its head of the audit log: {made.proof.log_head}")
    typer.echo(
        f"Not in it, keep each apart: the server key (line {lines}), without which it "
        "opens to nobody, and with which it would open to its thief; config.toml; "
        f"{settings.retention.tombstones_file}, which tells a restore what to forget again."
    )
