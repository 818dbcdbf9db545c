"""``kentongan``: the operator's commands, and what becomes of their errors.

Exit 0: done. 1: refused, with one clear line on standard error. 2: misused. A traceback is
never shown: it could hold what passed through.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typing_extensions import override

from bot.commands import (
    audit,
    backup,
    breach,
    cases,
    chat,
    check,
    init,
    letters,
    migrate,
    restore,
    retention,
    serve,
)
from bot.commands.keys import keys
from bot.commands.people import officers, units
from bot.telemetry import logs
from bot.terminal import refusals


class Program(typer.core.TyperGroup):
    """The commands; whatever one raises ends here, as a line and an exit code."""

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except BrokenPipeError:
            # The reader of our list went away; there is nobody left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except Exception as error:  # noqa: BLE001 - the last stop before a traceback
            raise typer.Exit(_tell(error)) from None


app = typer.Typer(
    name="kentongan",
    cls=Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def kentongan(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", help="Path of config.toml.")
    ] = None,
) -> None:
    """Complaint intake by Telegram, WhatsApp and SMS, and one complaint queue."""
    context.obj = config


for command in (
    init.init,
    serve.serve,
    serve.demo,
    chat.chat,
    check.check,
    check.doctor,
    migrate.migrate,
    backup.backup,
    restore.restore,
):
    app.command(command.__name__)(command)
for noun in (officers, units, cases, keys, audit, letters, breach, retention):
    app.add_typer(noun.app)
app.add_typer(retention.tombstones)


def main() -> None:
    """Run the command that was typed."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail(stream)
    app()


def _tell(error: Exception) -> int:
    line = refusals.line(error)
    if not line:
        logs.configure(form="console", level="info")
        logs.failure("command.failed", error)
        line = refusals.unexpected(error)
    typer.echo(line, err=True)
    return 1


def _never_fail(stream: TextIO) -> None:
    """Let a letter that the terminal cannot show become an escape, not an error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
