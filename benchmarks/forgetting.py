"""What it costs to overwrite all memory that is freed; prints the ratio from one run.

    python -m benchmarks.forgetting

The intake of ``benchmarks/messages.py`` runs in processes of its own, by turns with Python's
allocator and with the one that ``kentongan`` sets for itself; processor time is what counts,
so other work on the machine matters little.
"""

import asyncio
import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import messages
from bot.assembly import hardening

ROUNDS = 2
PEOPLE = 50
NAMES = ("PYTHONMALLOC", "GLIBC_TUNABLES")


def measure() -> None:
    """Print milliseconds of processor time a message, of a collection, and MiB at most."""
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        cost = asyncio.run(messages.measure(Path(folder), PEOPLE))[-1]
    begun = time.process_time()
    gc.collect()
    collected = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(cost, collected * 1000, peak)


def measured(environ: dict[str, str]) -> tuple[float, ...]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.forgetting", "once"]
    told = subprocess.run(  # noqa: S603 - ourselves
        command, env=environ, capture_output=True, text=True, check=True
    )
    return tuple(float(word) for word in told.stdout.split())


def main() -> None:
    """Compare, a few rounds by turns, the best of each."""
    usual = {name: value for name, value in os.environ.items() if name not in NAMES}
    overwriting = hardening.overwriting(usual)
    pairs = [(measured(usual), measured(overwriting)) for _ in range(ROUNDS)]
    before, after = (min(one) for one in zip(*pairs, strict=True))
    print(f"kept           {before[0]:6.2f} ms a message, {before[2]:4.0f} MiB")
    print(f"overwritten    {after[0]:6.2f} ms a message, {after[2]:4.0f} MiB")
    print(f"ratio          {after[0] / before[0]:6.2f}")
    print(f"a collection   {after[1]:6.1f} ms")


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        measure()
    else:
        main()
