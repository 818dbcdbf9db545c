"""What is fuzzed: a reader of bytes that strangers, providers or disks may have changed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MOST_CPU = 2.0
"""Seconds of processor for one input of at most 1 MiB, on a slow machine."""


class Shape(StrEnum):
    """How an input is taken apart to be changed; bytes are changed in every shape."""

    BYTES = "bytes"
    JSON = "json"
    FORM = "form"
    LINES = "lines"


def _none() -> Iterator[bytes]:
    return iter(())


@dataclass(frozen=True)
class Target:
    """``run`` reads an input and asserts what must hold; it may raise ``refusals`` only.

    ``seeds`` are inputs beside those kept in the corpus: recorded payloads.
    ``longest`` bytes is what can reach it at most. ``examples`` are tried in every run of
    the tests.
    """

    name: str
    run: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    shape: Shape = Shape.BYTES
    seeds: Callable[[], Iterator[bytes]] = _none
    longest: int = 1 << 20
    examples: int = 50

    @property
    def folder(self) -> Path:
        return CORPUS / self.name

    def kept(self) -> list[Path]:
        """Return the files of the corpus."""
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []

    def inputs(self) -> list[bytes]:
        """Return everything that is replayed always."""
        return [*(path.read_bytes() for path in self.kept()), *self.seeds()]

    def reads(self, raw: bytes) -> bool:
        """Run it once; False where it refused. Whatever else it raises is a finding."""
        begin = time.thread_time()
        try:
            self.run(raw[: self.longest])
        except self.refusals:
            return False
        finally:
            spent = time.thread_time() - begin
            assert spent < MOST_CPU, f"{self.name}: {spent:.1f} s"
        return True
