"""``make fuzz``: minutes of changed inputs for every target; what breaks is kept.

FUZZ_SECONDS is the time of each target (60), FUZZ_TARGETS names some of them
(``letter,receipt``). ``python -m tests.tools.fuzzing TARGET FILE`` runs one input again.
"""

import io
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.telemetry import logs
from tests.support.places import ROOT
from tests.tools.fuzzing.finding import ROUND, Broken, keep, smaller, tries
from tests.tools.fuzzing.table import TARGETS
from tests.tools.fuzzing.target import Target

SAID = Console()


def hunt(target: Target, seconds: float) -> tuple[int, int, Path | None]:
    """Try one target for so long; returns inputs tried, how many were read, what broke."""
    ends, tried, read = time.monotonic() + seconds, 0, 0
    while time.monotonic() < ends:
        try:
            read += tries(target, examples=ROUND)
        except Broken as broken:
            raw = smaller(target, broken.raw, broken.error)
            path = keep(target, raw)
            SAID.print(f"{target.name}: {type(broken.error).__name__}: {broken.error}"[:400], style="bold red")  # fmt: skip
            SAID.print(f"  again: .venv/bin/python -m tests.tools.fuzzing {target.name} {path.relative_to(ROOT)}")  # fmt: skip
            return tried, read, path
        tried += ROUND
    return tried, read, None


def again(name: str, file: str) -> int:
    """Run one input; whatever breaks is raised with its whole traceback."""
    read = TARGETS[name].reads(Path(file).read_bytes())
    SAID.print(f"{name}: {'read' if read else 'refused'}")
    return 0


def main() -> int:
    """Hunt through all targets; 1 if anything broke."""
    logs.configure(form="json", level="error", stream=io.StringIO())
    if len(sys.argv) == 3:
        return again(*sys.argv[1:])
    seconds = float(os.environ.get("FUZZ_SECONDS", "60"))
    wanted = os.environ.get("FUZZ_TARGETS", "")
    names = wanted.split(",") if wanted else list(TARGETS)
    shown = Table("target", "inputs", "read", "found")
    broken = 0
    for name in names:
        tried, read, path = hunt(TARGETS[name], seconds)
        broken += path is not None
        shown.add_row(name, str(tried), str(read), path.name if path else "")
    SAID.print(shown)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
