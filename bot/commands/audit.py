"""``kentongan audit``: whether the history is whole."""

import json
from typing import Annotated

import typer
from sqlmodel import func, select

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.terminal import desk, printing
from bot.terminal.desk import ConfigFile, Refused
from storage.audit import log
from storage.inspection import rows
from storage.models import REAL, Case

app = typer.Typer(name="audit", no_args_is_help=True, help="The log of acts.")


@app.callback()
def audit_commands() -> None:
    """Look after the log of what officers and operators did."""


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("verify")
def verify(
    config_file: ConfigFile = None,
    head: Annotated[
        str,
        typer.Option(help="A head printed earlier and kept elsewhere, as NUMBER:HEX."),
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Check the audit log, the history of every case and what they say of each other."""
    kept = _kept(head)
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        broken = log.verify(session, seat.keys, expected=kept)
        office = make_office(seat.settings, seat.keys, now=utc_now())
        since = office.day(utc_now()) - office.backups
        now = log.head(session)
        cases = session.exec(select(func.count()).select_from(Case).where(REAL)).one()
        wrong: list[str] = []
        if broken is None:
            with printing.steps("cases", 2 * cases) as seen:
                found = rows.problems(session, seat.keys, since=since, seen=seen)
                wrong = list(found)
    if as_json:
        told = {"lines": now[0], "head": log.written(now), "cases": cases}
        typer.echo(json.dumps({**told, "broken_at": broken, "problems": wrong}))
        if broken is not None or wrong:
            raise typer.Exit(1)
        return
    if broken is not None:
        raise Refused(
            f"the audit log is broken at line {broken}; keep this database as it is "
            "and compare it with a backup"
        )
    if wrong:
        raise Refused("; ".join(wrong))
    typer.echo(
        f"The audit log is whole: {now[0]} lines. Histories of {cases} cases too."
    )
    typer.echo(f"Keep this head elsewhere: {log.written(now)}")


@app.command("head")
def head(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """Print the head of the audit log, unchecked: keep it outside this machine."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        now = log.head(session)
    written = log.written(now)
    told = json.dumps({"lines": now[0], "head": written})
    typer.echo(told if as_json else written)


def _kept(text: str) -> tuple[int, bytes] | None:
    if not text:
        return None
    kept = log.kept(text)
    if kept is None:
        raise typer.BadParameter(
            "a head looks like 12:010a1b…, as `audit verify` prints it"
        )
    return kept
