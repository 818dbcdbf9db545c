"""How fast evidence is sealed to disk, beside the disk itself; prints ratios of one run.

    python -m benchmarks.evidence [FOLDER]

One thread, pieces of 64 KiB as they come from a provider, a file of 512 MiB, a flush to
disk at the end of each.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from storage.evidence import blobs
from storage.evidence.blobs import Sealer

SIZE = 512 << 20
PIECE = os.urandom(64 << 10)
MIB = 1 << 20


def timed(work: Callable[[], None]) -> float:
    """Return MiB a second."""
    began = time.perf_counter()
    work()
    return SIZE / MIB / (time.perf_counter() - began)


def main() -> None:
    """Measure once and print."""
    with tempfile.TemporaryDirectory(
        dir=sys.argv[1] if sys.argv[1:] else None
    ) as folder:
        sealed, plain = Path(folder) / "sealed", Path(folder) / "plain"
        sealer = Sealer(sealed)

        def seal() -> None:
            with sealer:
                for _ in range(SIZE // len(PIECE)):
                    sealer.write(PIECE)

        def write() -> None:
            with plain.open("wb") as file:
                for _ in range(SIZE // len(PIECE)):
                    file.write(PIECE)
                file.flush()
                os.fsync(file.fileno())

        def read() -> None:
            for _ in blobs.chunks(sealed, sealer.key):
                pass

        rates = {"disk alone": timed(write), "sealed to disk": timed(seal)}
        plain.unlink()
        rates["opened again"] = timed(read)
        for name, rate in rates.items():
            part = rate / rates["disk alone"]
            sys.stdout.write(f"{name:16}{rate:8.0f} MiB/s {part:6.2f} of the disk\n")


if __name__ == "__main__":
    main()
