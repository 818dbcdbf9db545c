"""The sandbox: locks itself in and opens one file.

``python -m bot.evidence.sandbox KIND TASK``: the file comes on standard input, frames go to
standard output (``frames``). It knows no store, no key and no name; whatever happens to it,
the server goes on. ``python -m bot.evidence.sandbox bars_files`` tells how well it is locked.
"""

import codecs
import functools
import importlib
import io
import json
import sys
from collections.abc import Callable
from typing import BinaryIO, Final

from bot.evidence import frames
from bot.evidence.kinds import Kind, kinds
from bot.evidence.refusals import Refused
from bot.evidence.sandbox import confinement

MOST_BYTES: Final = 512 << 20
"""Of a file that is opened in memory; a larger one is kept and not shown."""


_CODECS: Final = ("ascii", "utf-8-sig", "utf-16", "cp437", "latin-1", "idna")
"""What a library may ask for; afterwards no file can be opened, not even a codec's."""


def run(
    kind: Kind, task: str, told: list[str], source: BinaryIO, out: BinaryIO
) -> None:
    """Do one task and say how it went, in the last frame."""
    facts: dict[str, str]
    try:
        cleaner = importlib.import_module(f"bot.evidence.sandbox.{kind.cleaner}")
        work: Callable[..., dict[str, str]] = getattr(cleaner, task)
        for codec in _CODECS:
            codecs.lookup(codec)
        confinement.lock(starts_programs=getattr(cleaner, "starts_programs", False))
        original = _whole(source)
        give = functools.partial(frames.write, out)
        facts = work(original, kind, give, *told)
    except Refused as refused:
        facts = {"why": refused.why}
    except MemoryError:
        facts = {"why": "large"}
    except Exception:  # noqa: BLE001 - a stranger's file; nothing of it may reach a log
        facts = {"why": "broken"}
    frames.write(out, frames.FACTS, json.dumps(facts).encode("ascii"))
    out.flush()


def _whole(source: BinaryIO) -> bytes:
    original = source.read(MOST_BYTES + 1)
    if len(original) > MOST_BYTES:
        raise Refused("large")
    return original


def main() -> None:
    """Work for the process that started us."""
    if sys.argv[1:] == ["bars_files"]:
        sys.stdout.write("yes\n" if confinement.bars_files() else "no\n")
        return
    code, task, *told = sys.argv[1:]
    out = io.BufferedWriter(io.FileIO(1, "wb", closefd=False))
    sys.stdout = sys.stderr
    run(kinds()[code], task, told, sys.stdin.buffer, out)


if __name__ == "__main__":
    main()
