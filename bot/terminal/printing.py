"""Lists on a terminal, for other programs, or as JSON; and text made safe to print."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text


def listing(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print rows that all have the same keys: a table, tab-separated lines, or JSON."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(_shown(value) for value in row.values()))
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row.values()))
    Console().print(table if rows else "(nothing)")


def facts(values: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: a line for each of its facts, or JSON."""
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    width = max(len(name) for name in values)
    for name, value in values.items():
        for index, part in enumerate(value if isinstance(value, list) else [value]):
            label = name.replace("_", " ") if index == 0 else ""
            typer.echo(f"{label:<{width}}  {_shown(part)}")


@contextmanager
def steps(what: str, count: int) -> Iterator[Callable[[], None]]:
    """Show how far something long has come, on a terminal only; call what is given each time."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=count)
        yield lambda: progress.advance(task)


def safe(text: str) -> str:
    """Return text without what moves a terminal's cursor; nothing else is changed."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


def safe_lines(text: str) -> str:
    """Do as ``safe`` does with a text of several lines."""
    return "\n".join(safe(line) for line in text.split("\n"))


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_shown(part) for part in value) or "-"
    return safe(str(value)) or "-"
