"""``kentongan letters``: letters that could not be sent, and why; retry or drop them."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile, Refused
from handlers.notices import resending
from handlers.work import Work
from storage.notices import failed
from storage.notices.failed import DeadLetter

app = typer.Typer(
    name="letters", no_args_is_help=True, help="Letters that could not be sent."
)
MOST = 10_000
Ids = Annotated[
    list[int] | None,
    typer.Argument(
        metavar="[LETTER]...", help="Letters, as `letters list` names them."
    ),
]
Reason = Annotated[
    str, typer.Option("--reason", help="All that failed for this, e.g. twilio.21408.")
]
All = Annotated[bool, typer.Option("--all", help="All that failed.")]


@app.callback()
def letters_commands() -> None:
    """Look at letters that their provider refused, try them again, or drop them."""


@app.command("list")
def show_list(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """List letters that failed and can still be tried; no names, no texts."""
    now = utc_now()
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        rows = [_row(one) for one in failed.listed(session, now=now, limit=MOST)]
    printing.listing(rows, as_json=as_json)


@app.command("retry")
def retry(
    letters: Ids = None,
    reason: Reason = "",
    config_file: ConfigFile = None,
    *,
    everything: All = False,
) -> None:
    """Send letters again: a running server takes them up within seconds."""
    count = _write(resending.retry, letters, reason, config_file, everything=everything)
    typer.echo(f"Letters that are sent again: {count}.")


@app.command("drop")
def drop(
    letters: Ids = None,
    reason: Reason = "",
    config_file: ConfigFile = None,
    *,
    everything: All = False,
) -> None:
    """Give letters up for good; nobody is told."""
    count = _write(resending.drop, letters, reason, config_file, everything=everything)
    typer.echo(f"Letters that are dropped: {count}.")


def _write(
    verb: Callable[..., int],
    letters: list[int] | None,
    reason: str,
    config_file: Any,  # noqa: ANN401 - a path or None, as typer gives it
    *,
    everything: bool,
) -> int:
    if sum((bool(letters), bool(reason), everything)) != 1:
        raise typer.BadParameter("give letters, or --reason, or --all")
    now: datetime = utc_now()
    with desk.sit_down(config_file) as seat:
        office = make_office(seat.settings, seat.keys, now=now)
        with seat.database.writing() as session:
            work = Work(session, office, now)
            count = verb(work, only=letters or (), reason=reason or None, by=None)
    if not count:
        raise Refused(
            "no such letter; it was tried or dropped meanwhile, or its time is over: "
            "see `kentongan letters list`"
        )
    return count


def _row(letter: DeadLetter) -> dict[str, str | int]:
    return {
        "letter": letter.id,
        "channel": letter.channel,
        "kind": letter.kind.value,
        "reason": letter.reason,
        "since": letter.since.isoformat(),
        "tries": letter.attempts,
        "until": letter.expires.isoformat(),
    }
