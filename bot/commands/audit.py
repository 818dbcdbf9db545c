"""``kentongan audit``: whether the history is whole."""

import re
from typing import Annotated

import typer
from sqlmodel import func, select

from bot.commands import desk
from bot.commands.desk import ConfigFile, Refused
from storage import audit, proving
from storage.models import Case

app = typer.Typer(name="audit", no_args_is_help=True, help="The log of acts.")
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{66})", re.ASCII)


@app.callback()
def audit_commands() -> None:
    """Look after the log of what officers and operators did."""


@app.command("verify")
def verify(
    config_file: ConfigFile = None,
    head: Annotated[
        str,
        typer.Option(help="A head printed earlier and kept elsewhere, as NUMBER:HEX."),
    ] = "",
) -> None:
    """Check the audit log, the history of every case and what they say of each other."""
    kept = _kept(head)
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        broken = audit.verify(session, seat.keys, expected=kept)
        if broken is not None:
            raise Refused(
                f"the audit log is broken at line {broken}; keep this database as it is "
                "and compare it with a backup"
            )
        number, mac = audit.head(session)
        wrong = list(proving.problems(session, seat.keys))
        if wrong:
            raise Refused("; ".join(wrong))
        cases = session.exec(select(func.count()).select_from(Case)).one()
    typer.echo(
        f"The audit log is whole: {number} lines. Histories of {cases} cases too."
    )
    typer.echo(f"Keep this head elsewhere: {number}:{mac.hex()}")


def _kept(text: str) -> tuple[int, bytes] | None:
    if not text:
        return None
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            "a head looks like 12:0a1b…, as `audit verify` prints it"
        )
    return int(match[1]), bytes.fromhex(match[2])
