"""``kentongan serve`` runs the server until SIGTERM; ``kentongan demo`` a demonstration."""

import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console

from bot.demo import demo as demonstration
from bot.settings.sections import Server
from bot.terminal import desk
from bot.terminal.desk import ConfigFile, Refused
from storage.units import above


def serve(config_file: ConfigFile = None) -> None:
    """Take reports and serve the officers' console until SIGTERM or Ctrl-C."""
    with desk.sit_down(config_file) as seat:
        settings = seat.settings
        with seat.database.reading() as session:
            lacking = above.missing(session, seat.keys)
    _refuse_taken_port(settings.server)
    signal.signal(signal.SIGTERM, _end)
    with suppress(KeyboardInterrupt):
        _app().serve(settings, environ=os.environ, announce=partial(_warn, lacking))


def _warn(problems: list[str], _: str) -> None:
    """Say what is amiss once nothing refuses to start any more."""
    for problem in problems:
        typer.echo(f"warning: {problem}", err=True)


def _app() -> ModuleType:
    """Load the server late: other commands need no provider's library (a second each)."""
    return import_module("bot.app")


def _refuse_taken_port(server: Server) -> None:
    """Say it in one line when we cannot listen, rather than end in the middle."""
    try:
        family, kind, number, _, place = socket.getaddrinfo(
            server.host, server.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        reason = (error.strerror or "cannot be used").lower()
        raise Refused(
            f"cannot listen on {server.host} port {server.port}: {reason}; "
            "stop the other program or change server.host and server.port"
        ) from None


def _end(_number: int, _frame: object) -> None:
    """End as Ctrl-C does; the server has stopped in order before this is called."""
    raise KeyboardInterrupt


def demo(
    folder: Annotated[
        Path, typer.Option(help="Where the demo keeps its things.")
    ] = Path(".demo"),
    *,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget the last run and start anew.")
    ] = False,
) -> None:
    """Try everything here: an agency, its console, and four phones in a page.

    With KENTONGAN_TELEGRAM__TOKEN set, Telegram is the real one, by polling.
    """
    console = Console(highlight=False)
    bullet = "[green]✓[/green] " if sys.stdout.isatty() else ""

    def say(text: str) -> None:
        # Flushed: whoever reads our pipe waits for these lines.
        console.print(text if "\n" in text else f"{bullet}{text}", soft_wrap=True)
        sys.stdout.flush()

    demonstration.run(folder, os.environ, fresh=fresh, say=say, app=_app)
