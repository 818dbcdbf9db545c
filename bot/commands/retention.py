"""``kentongan retention`` and ``kentongan tombstones``: what goes when, and what must stay gone."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot.assembly.office import make_blob_store, make_office
from bot.clock import utc_now
from bot.retention import keeper
from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile, Refused
from handlers.retention import reports
from storage.retention import overdue
from storage.retention import tombstones as stored_tombstones
from storage.words import Erased

_SOON = timedelta(days=30)
_MOST_LINES = 10

app = typer.Typer(name="retention", no_args_is_help=True, help="What goes when.")
tombstones = typer.Typer(
    name="tombstones", no_args_is_help=True, help="What must stay gone."
)


@app.callback()
def retention_commands() -> None:
    """Look at what is kept, and for how long."""


@tombstones.callback()
def tombstone_commands() -> None:
    """Make a restored backup forget what was erased since."""


@app.command("status")
def status(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """Count what ended cases hold, what goes now, and what goes within 30 days."""
    now = utc_now()
    with desk.sit_down(config_file) as seat:
        office = make_office(seat.settings, seat.keys, now=now)
        due, soon = reports.cuts(office, now), reports.cuts(office, now + _SOON)
        with seat.database.reading() as session:
            held = dict(overdue.counts(session, due))
            goes = dict(overdue.past(session, seat.keys, due))
            later = dict(overdue.past(session, seat.keys, soon))
            on_hold = len(overdue.held(session))
            waiting = stored_tombstones.waiting(session)
    rows = [
        {
            "what": what.value,
            "kept": None if what is Erased.CONTACT else held[what],
            "goes_now": goes[what],
            "within_30_days": later[what],
        }
        for what in Erased
    ]
    if as_json:
        printing.facts(
            {"rows": rows, "on_hold": on_hold, "tombstones_waiting": waiting},
            as_json=True,
        )
        return
    printing.listing(rows, as_json=False)
    typer.echo(f"On hold: {on_hold} cases. Tombstones to be written: {waiting}.")


@tombstones.command("replay")
def replay(
    config_file: ConfigFile = None,
    file: Annotated[
        Path | None, typer.Option(help="Another file than retention.tombstones_file.")
    ] = None,
    *,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Lines of any age, for a backup older than backup_days."
        ),
    ] = False,
) -> None:
    """Erase again what a restored backup brought back; `serve` does it at its start."""
    now = utc_now()
    with desk.sit_down(config_file) as seat:
        path = file or seat.settings.retention.tombstones_file
        if not path.is_file():
            raise Refused(f"{path}: no such file; name the newest one with --file")
        office = make_office(seat.settings, seat.keys, now=now)
        blob_store = make_blob_store(seat.settings)
        try:
            done = keeper.replay(
                seat.database, office, path, blob_store, now=now, everything=everything
            )
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise Refused(f"{path}: {reason}") from None
    typer.echo(f"Erased again: {done.erased}.")
    if done.held_up:
        typer.echo(f"Not erased, their cases were changed by hand: {done.held_up}.")
    if done.refused:
        lines = ", ".join(str(number) for number in done.refused[:_MOST_LINES])
        raise Refused(
            f"{path}: {len(done.refused)} lines are not ours or damaged (line {lines}); "
            "all others count"
        )
    if done.held_up:
        raise typer.Exit(1)
