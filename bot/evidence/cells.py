"""The cell in which a stranger's file is opened: no network, few files, bounded in all.

Everything here is for the bench's own process, before it sees the first byte.
"""

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import Final

MEMORY: Final = 1536 << 20
"""Bytes of address space; a picture of 50 million pixels needs some 700 MiB."""
CPU_SECONDS: Final = 60
NICE: Final = 10
"""Messages and officers come first."""
OPEN_FILES: Final = 64
LARGEST: Final = 2 << 30
"""Bytes of a file that a converter may write (in memory, nothing goes to the disk)."""
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _DUMPABLE, _DIES_WITH_PARENT = 38, 4, 1
_KILL = 9


def lock(*, converts: bool) -> None:
    """Lock this process in. ``converts``: it runs another program, which opens files.

    Without that no file and no socket can be opened any more: what is needed is imported
    before. What this machine refuses (a namespace in a container) is left out: the rest
    holds all the same.
    """
    os.nice(NICE)
    with contextlib.suppress(
        OSError
    ):  # where memory runs out, the bench goes, not the house
        Path("/proc/self/oom_score_adj").write_text("1000")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DIES_WITH_PARENT, _KILL, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    if libc.unshare(_NEW_NET) != 0:
        libc.unshare(_NEW_USER | _NEW_NET)
    _most(resource.RLIMIT_CORE, 0)
    _most(resource.RLIMIT_AS, MEMORY)
    _most(resource.RLIMIT_CPU, CPU_SECONDS)
    _most(resource.RLIMIT_FSIZE, LARGEST if converts else 0)
    _most(resource.RLIMIT_NOFILE, OPEN_FILES if converts else _first_free())


def _most(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, most))


def _first_free() -> int:
    number = os.dup(0)
    os.close(number)
    return number
