"""``kentongan demo``: everything on this machine, with phones in a page."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.demo import demo

NAME = "demo"


def run(
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

    demo.run(folder, os.environ, fresh=fresh, say=say)
