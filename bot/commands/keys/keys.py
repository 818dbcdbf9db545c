"""``kentongan keys``: their status and change, recovery pairs for paper, fingerprints."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.keys import recovery, rotation, status
from bot.operations import recovery_paper
from bot.operations.private_files import write_private
from bot.terminal import desk
from bot.terminal.desk import ConfigFile, Refused
from storage.crypto import fingerprints
from storage.crypto.sealing import new_pair, public_of
from storage.people import officers
from storage.units import units

app = typer.Typer(name="keys", no_args_is_help=True, help="The life of keys.")


@app.callback()
def keys_commands() -> None:
    """Look at keys, change them, make recovery keys, compare fingerprints."""


app.command("status")(status.run)
app.command("rotate")(rotation.rotate)
app.command("retire")(rotation.retire)
app.command("recover")(recovery.recover)
app.command("replace-recovery")(recovery.replace_recovery)


@app.command("new-recovery")
def new_recovery(
    public: Annotated[
        Path, typer.Option(help="Where to write the two public halves.")
    ] = Path("recovery.public"),
    to: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the secrets as files, 0600; without it they are shown on "
            "the terminal only."
        ),
    ] = None,
) -> None:
    """Make the two offline pairs; do it on a machine that is not on a network.

    Write each secret on paper, for two different holders. Needs no configuration.
    """
    if to is None and not sys.stdout.isatty():
        raise Refused(
            "secrets are shown on a terminal only; run this at one, or give --to FOLDER"
        )
    if public.exists():
        raise Refused(f"{public}: exists already; recovery keys are never overwritten")
    pairs = {purpose: new_pair() for purpose in recovery_paper.PURPOSES}
    for purpose, pair in pairs.items():
        paper = recovery_paper.write_secret(purpose, pair.secret)
        if to is None:
            typer.echo(paper)
        else:
            write_private(to / f"recovery-{purpose}.secret", paper)
            typer.echo(f"{to / f'recovery-{purpose}.secret'}: keep it offline")
    publics = {purpose: pair.public for purpose, pair in pairs.items()}
    write_private(public, recovery_paper.write_public(publics))
    typer.echo(f"{public}: bring it to `kentongan init --recovery-public {public}`")


@app.command("check-recovery")
def check_recovery(
    public: Annotated[Path, typer.Option(help="The file of public halves.")] = Path(
        "recovery.public"
    ),
) -> None:
    """Read a recovery secret from standard input and compare it with its public half."""
    purpose, secret = recovery_paper.read_secret(sys.stdin.read())
    publics = recovery_paper.read_public(public.read_text("ascii", "replace"))
    if publics.get(purpose) != public_of(secret):
        raise Refused(f"this secret does not belong to {public}")
    typer.echo(f"{purpose}: every letter is right, and it belongs to {public}")


@app.command("fingerprint")
def fingerprint(
    name: Annotated[str, typer.Argument(help="A login, or with --unit a unit's name.")],
    config_file: ConfigFile = None,
    *,
    unit: Annotated[bool, typer.Option("--unit", help="Of a unit's key.")] = False,
) -> None:
    """Print the six words of an officer's key, to compare by telephone."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        if unit:
            public = units.named(session, seat.keys, name).public_key
        else:
            public = officers.verified(session, seat.keys, name).public_key
    if public is None:
        raise Refused(f"{name} has no key yet")
    typer.echo(fingerprints.words(public))
