"""The converter: starts a sandbox for each file and takes the working copy from it.

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
SANDBOXES: Final = 2
"""Files that are opened at once, whoever asks; each may need a gigabyte for some seconds."""
PATIENCE: Final = 20.0
"""How long a page that somebody looks at waits for a free sandbox."""

Sink = Callable[[bytes], object]
_free: Final = threading.BoundedSemaphore(SANDBOXES)
_PROGRAM: Final = ("-I", "-m", "bot.evidence.sandbox")
_ENVIRONMENT: Final = {"LANG": "C.UTF-8"}


class Busy(Exception):
    """No sandbox is free; ask again in a moment."""


class Sandbox:
    """The process that opens one file; whoever calls ``kill`` ends it, now or as it starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.is_killed = False

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """Hold a process that has just started."""
        with self._lock:
            self._process = process
            is_killed = self.is_killed
        if is_killed:
            self.kill()

    def kill(self) -> None:
        """Kill the process and whatever it started; harmless twice."""
        with self._lock:
            self.is_killed = True
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)


def clean(
    kind: Kind,
    pieces: Iterable[bytes],
    *,
    copy: Sink,
    preview: Sink,
    seconds: float = SECONDS,
    sandbox: Sandbox | None = None,
) -> dict[str, str]:
    """Make a working copy and a preview; return what there is to know.

    ``why`` stands in the answer where no copy was made: ``broken``, ``large``, ``slow`` or
    a cleaner's own code. Then whatever came until there is void. Waits until a sandbox is
    free. Whoever passes a ``sandbox`` may kill it meanwhile.
    """
    sinks = {frames.COPY: copy, frames.PREVIEW: preview}
    with _free:
        return _work(kind, ("clean",), pieces, sinks, seconds, sandbox or Sandbox())


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
    if not _free.acquire(timeout=PATIENCE):
        raise Busy
    try:
        return _work(kind, task, pieces, sinks, seconds, Sandbox())
    finally:
        _free.release()


def bars_files() -> bool:
    """Ask a sandbox whether this machine bars it from the files of others.

    Raises OSError or SubprocessError where it cannot be started or locked.
    """
    told = subprocess.run(  # nosec B603 # noqa: S603 - no shell, and arguments of our own
        [sys.executable, *_PROGRAM, "bars_files"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd="/",
        env=_ENVIRONMENT,
        timeout=SECONDS,
        check=True,
    )
    return told.stdout == b"yes\n"


def _work(
    kind: Kind,
    task: Sequence[str],
    pieces: Iterable[bytes],
    sinks: Mapping[bytes, Sink],
    seconds: float,
    sandbox: Sandbox,
) -> dict[str, str]:
    with subprocess.Popen(  # nosec B603 # noqa: S603 - no shell, and arguments of our own
        [sys.executable, *_PROGRAM, kind.code, *task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_ENVIRONMENT,
        start_new_session=True,
    ) as process:
        sandbox.started(process)
        timer = threading.Timer(seconds, sandbox.kill)
        timer.start()
        try:
            return _told(process, pieces, sinks)
        except (frames.Broken, Strange, ValueError):
            return {"why": "slow" if sandbox.is_killed else "broken"}
        finally:
            timer.cancel()
            sandbox.kill()


def _told(
    process: subprocess.Popen[bytes],
    pieces: Iterable[bytes],
    sinks: Mapping[bytes, Sink],
) -> dict[str, str]:
    if process.stdin is None or process.stdout is None:
        raise frames.Broken
    with contextlib.suppress(BrokenPipeError), process.stdin as source:
        for piece in pieces:  # who stops reading has its answer ready
            source.write(piece)
    for letter, data in frames.read(process.stdout):
        if letter == frames.FACTS:
            return checked(json.loads(data))
        sinks[letter](data)
    raise frames.Broken
