"""``kentongan``: the operator's commands, and what becomes of their errors.

Exit 0: done. 1: refused, with one clear line on standard error. 2: misused. A traceback is
never shown: it could hold what passed through.
"""

import gc
import os
import sys
from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TextIO

import typer
from typing_extensions import override

from bot import commands
from bot.assembly import hardening

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "init": "init:init",
        "serve": "serve:serve",
        "demo": "serve:demo",
        "chat": "chat:chat",
        "check": "check:check",
        "doctor": "check:doctor",
        "migrate": "migrate:migrate",
        "backup": "backup:backup",
        "restore": "restore:restore",
        "officer": "people.officers:app",
        "unit": "people.units:app",
        "case": "cases:app",
        "keys": "keys.keys:app",
        "audit": "audit:app",
        "letters": "letters:app",
        "breach": "breach:app",
        "retention": "retention:app",
        "tombstones": "retention:tombstones",
    }
)
"""Where each command stands. Only the one that is called is loaded: all together take
twice as long."""
_RARELY = (50_000, 20, 50)
"""What a command loads stays loaded: to look through it for garbage as often as Python does
by itself takes a quarter of the time of loading it."""


class Program(typer.core.TyperGroup):
    """The commands; whatever one raises ends here, as a line and an exit code."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - passed on as it is
        super().__init__(**options)
        self.commands = Loaded(dict.fromkeys(COMMANDS))

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


def _program(**more: Any) -> typer.Typer:  # noqa: ANN401 - passed on to Typer as it is
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        **more,
    )


def holding(name: str) -> typer.Typer:
    """Load a command; return a program that holds it alone."""
    module, _, place = COMMANDS[name].partition(":")
    found = getattr(import_module(f"{commands.__name__}.{module}"), place)
    alone = _program()
    if isinstance(found, typer.Typer):
        alone.add_typer(found)
    else:
        alone.command(name)(found)
    return alone


class Loaded(UserDict[str, Any]):
    """The commands by name, each loaded when it is asked for."""

    @override
    def __getitem__(self, name: str) -> Any:
        if self.data[name] is None:
            self.data[name] = typer.main.get_group(holding(name)).commands[name]
        return self.data[name]


app = _program(name="kentongan", cls=Program)


@app.callback()
def kentongan(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", help="Path of config.toml.")
    ] = None,
) -> None:
    """Complaint intake by Telegram, WhatsApp and SMS, and one complaint queue."""
    context.obj = config


def main() -> None:
    """Run the command that was typed.

    Nearly every one meets a passphrase, a key or what somebody told, so each is hardened.
    """
    hardening.overwrite_freed(os.environ)
    hardening.close_memory()
    gc.set_threshold(*_RARELY)
    for stream in (sys.stdout, sys.stderr):
        _never_fail(stream)
    app()


def _tell(error: Exception) -> int:
    from bot.terminal import refusals  # noqa: PLC0415 - it knows the store's errors

    line = refusals.line(error)
    if not line:
        from bot.telemetry import logs  # noqa: PLC0415 - only what is no refusal is logged

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
