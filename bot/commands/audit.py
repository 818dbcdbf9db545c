"""``kentongan audit``: whether the history is whole."""

import re
from typing import Annotated

import typer
from sqlmodel import Session, col, select

from bot.commands import desk
from bot.commands.desk import ConfigFile, Refused
from storage import audit, history, reports
from storage.keys import ServerKeys
from storage.models import Case
from storage.sealing import NotAuthentic

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
    """Check the audit log and the history of every case, line by line."""
    kept = _kept(head)
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        broken = audit.verify(session, seat.keys, expected=kept)
        if broken is not None:
            raise Refused(
                f"the audit log is broken at line {broken}; keep this database as it is "
                "and compare it with a backup"
            )
        number, mac = audit.head(session)
        cases = _check_cases(session, seat.keys)
    typer.echo(
        f"The audit log is whole: {number} lines. Histories of {cases} cases too."
    )
    typer.echo(f"Keep this head elsewhere: {number}:{mac.hex()}")


def _check_cases(session: Session, keys: ServerKeys) -> int:
    checked = 0
    for case in session.exec(select(Case).order_by(col(Case.number))):
        try:
            reports.check_case(keys, case)
        except NotAuthentic:
            raise Refused(f"case {case.number} was changed by hand") from None
        line = history.first_broken(session, keys, case)
        if line is not None:
            raise Refused(f"case {case.number}: its history is broken at line {line}")
        checked += 1
    return checked


def _kept(text: str) -> tuple[int, bytes] | None:
    if not text:
        return None
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            "a head looks like 12:0a1b…, as `audit verify` prints it"
        )
    return int(match[1]), bytes.fromhex(match[2])
