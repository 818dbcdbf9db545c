"""``make chaos``: the long run on both databases; prints and keeps the figures.

CHAOS_SEED says what happens (a new one each time without it), CHAOS_STORES on which
databases (``sqlite,postgresql``), CHAOS_SIZE how long (``long`` or ``short``), CHAOS_KILLS
how many kills instead, with fewer reporters to match, CHAOS_FIGURES where the figures go
(``build/chaos.json``).
"""

import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.tools.chaos.accounting import settle
from tests.tools.chaos.run import SIZES, Size, play, town

SAID = Console()


async def once(kind: str, seed: str, size: Size, logs: Path) -> dict[str, Any]:
    """Run once; the figures, with every miss under ``misses``."""
    async with town(kind, seed, size, logs) as here:
        await play(here, size)
        misses = await settle(here)
        return {"store": kind, "seed": seed, **here.figures, "misses": misses}


def table(found: list[dict[str, Any]]) -> Table:
    """Return the figures of all runs side by side."""
    shown = Table("", *(f"{one['store']}, seed {one['seed']}" for one in found))
    for name in found[0]:
        if name not in {"store", "seed", "misses"}:
            shown.add_row(name, *(_cell(one.get(name)) for one in found))
    shown.add_row("misses", *(str(len(one["misses"])) for one in found))
    return shown


def _cell(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    return "\n".join(f"{name}: {n}" for name, n in value.items()) or "none"


def main() -> int:
    """Run on each database; 1 if anything is amiss."""
    seed = os.environ.get("CHAOS_SEED") or secrets.token_hex(4)
    kinds = os.environ.get("CHAOS_STORES", "sqlite,postgresql").split(",")
    size = SIZES[os.environ.get("CHAOS_SIZE", "long")]
    size = size.with_kills(int(os.environ.get("CHAOS_KILLS", size.kills)))
    kept = Path(os.environ.get("CHAOS_FIGURES", "build/chaos.json"))
    found = []
    for kind in kinds:
        SAID.print(
            f"{kind}: seed {seed}, {size.reporters} reporters, {size.kills} kills"
        )
        logs = Path(tempfile.mkdtemp(prefix="kt-chaos-logs-"))
        found.append(asyncio.run(once(kind, seed, size, logs)))
        for miss in found[-1]["misses"]:
            SAID.print(f"MISS {miss}", markup=False, highlight=False)
        if found[-1]["misses"]:
            SAID.print(f"the servers' logs are in {logs}")
        else:
            shutil.rmtree(logs)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found, indent=1, default=str) + "\n")
    SAID.print(table(found))
    SAID.print(f"figures in {kept}; again: CHAOS_SEED={seed} make chaos")
    return int(any(one["misses"] for one in found))


if __name__ == "__main__":
    sys.exit(main())
