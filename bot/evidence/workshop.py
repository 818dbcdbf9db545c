"""The workshop: lets a bench of its own process make the working copy of a file.

The original goes in piece by piece and the copy comes out piece by piece; neither is ever
whole in this process, and nothing of them is on the disk in clear.
"""

import contextlib
import json
import os
import signal
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from bot.evidence import frames
from bot.evidence.kinds import Kind

SECONDS: Final = 45.0
"""How long one file may be worked on; the lease of its job is renewed meanwhile."""

Sink = Callable[[bytes], object]


def clean(
    kind: Kind,
    pieces: Iterable[bytes],
    *,
    copy: Sink,
    preview: Sink,
    seconds: float = SECONDS,
) -> dict[str, str]:
    """Make a working copy and a preview; return what there is to know.

    ``why`` stands in the answer where no copy was made: ``broken``, ``large``, ``slow`` or
    a cleaner's own code. Then whatever came until there is void.
    """
    return _work(
        kind, ("clean",), pieces, {frames.COPY: copy, frames.PREVIEW: preview}, seconds
    )


def page(
    kind: Kind,
    pieces: Iterable[bytes],
    number: int,
    *,
    preview: Sink,
    seconds: float = SECONDS,
) -> dict[str, str]:
    """Draw one page of a document, from 0; ``why`` as in ``clean``."""
    task = ("page", str(number))
    return _work(kind, task, pieces, {frames.PREVIEW: preview}, seconds)


def _work(
    kind: Kind,
    task: Sequence[str],
    pieces: Iterable[bytes],
    sinks: Mapping[bytes, Sink],
    seconds: float,
) -> dict[str, str]:
    command = [sys.executable, "-I", "-m", "bot.evidence.bench", kind.code, *task]
    with subprocess.Popen(  # nosec B603 # noqa: S603 - no shell, and arguments of our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        start_new_session=True,
    ) as bench:
        late = threading.Event()
        timer = threading.Timer(seconds, _end, (bench, late))
        timer.start()
        try:
            return _spoken(bench, pieces, sinks)
        except (frames.Broken, ValueError):
            return {"why": "slow" if late.is_set() else "broken"}
        finally:
            timer.cancel()
            _end(bench, threading.Event())


def _spoken(
    bench: subprocess.Popen[bytes], pieces: Iterable[bytes], sinks: Mapping[bytes, Sink]
) -> dict[str, str]:
    if bench.stdin is None or bench.stdout is None:
        raise frames.Broken
    with contextlib.suppress(BrokenPipeError), bench.stdin as source:
        for piece in pieces:  # who stops reading has its answer ready
            source.write(piece)
    for letter, data in frames.read(bench.stdout):
        if letter == frames.FACTS:
            return _told(data)
        sinks[letter](data)
    raise frames.Broken


def _told(data: bytes) -> dict[str, str]:
    return {str(name): str(value) for name, value in json.loads(data).items()}


def _end(bench: subprocess.Popen[bytes], late: threading.Event) -> None:
    """Kill the bench and whatever it started."""
    late.set()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(bench.pid, signal.SIGKILL)
