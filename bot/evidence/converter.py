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
from bot.evidence.facts import Strange, checked
from bot.evidence.kinds import Kind

SECONDS: Final = 45.0
"""How long one file may be worked on; the lease of its job is renewed meanwhile."""
BENCHES: Final = 2
"""Files that are opened at once, whoever asks; each may need a gigabyte for some seconds."""
PATIENCE: Final = 20.0
"""How long a page that somebody looks at waits for a free bench."""

Sink = Callable[[bytes], object]
_places: Final = threading.BoundedSemaphore(BENCHES)


class Busy(Exception):
    """No bench is free; ask again in a moment."""


class Hand:
    """Holds one bench; whoever calls ``let_go`` ends its work, now or when it begins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bench: subprocess.Popen[bytes] | None = None
        self.is_over = False

    def take(self, bench: subprocess.Popen[bytes]) -> None:
        """Hold a bench that has just begun."""
        with self._lock:
            self._bench = bench
            is_over = self.is_over
        if is_over:
            self.let_go()

    def let_go(self) -> None:
        """Kill the bench and whatever it started; harmless twice."""
        with self._lock:
            self.is_over = True
            if self._bench is not None and self._bench.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._bench.pid, signal.SIGKILL)


def clean(
    kind: Kind,
    pieces: Iterable[bytes],
    *,
    copy: Sink,
    preview: Sink,
    seconds: float = SECONDS,
    hand: Hand | None = None,
) -> dict[str, str]:
    """Make a working copy and a preview; return what there is to know.

    ``why`` stands in the answer where no copy was made: ``broken``, ``large``, ``slow`` or
    a cleaner's own code. Then whatever came until there is void. Waits for a free bench.
    Somebody else may end it by ``hand``.
    """
    sinks = {frames.COPY: copy, frames.PREVIEW: preview}
    with _places:
        return _work(kind, ("clean",), pieces, sinks, seconds, hand or Hand())


def page(
    kind: Kind,
    pieces: Iterable[bytes],
    number: int,
    *,
    preview: Sink,
    seconds: float = SECONDS,
) -> dict[str, str]:
    """Draw one page of a document, from 0; ``why`` as in ``clean``. Raises Busy."""
    task, sinks = ("page", str(number)), {frames.PREVIEW: preview}
    if not _places.acquire(timeout=PATIENCE):
        raise Busy
    try:
        return _work(kind, task, pieces, sinks, seconds, Hand())
    finally:
        _places.release()


def _work(
    kind: Kind,
    task: Sequence[str],
    pieces: Iterable[bytes],
    sinks: Mapping[bytes, Sink],
    seconds: float,
    hand: Hand,
) -> dict[str, str]:
    command = [sys.executable, "-I", "-m", "bot.evidence.sandbox", kind.code, *task]
    with subprocess.Popen(  # nosec B603 # noqa: S603 - no shell, and arguments of our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        start_new_session=True,
    ) as bench:
        hand.take(bench)
        timer = threading.Timer(seconds, hand.let_go)
        timer.start()
        try:
            return _spoken(bench, pieces, sinks)
        except (frames.Broken, Strange, ValueError):
            return {"why": "slow" if hand.is_over else "broken"}
        finally:
            timer.cancel()
            hand.let_go()


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
            return checked(json.loads(data))
        sinks[letter](data)
    raise frames.Broken
