"""Protects the memory of this process: no core file, no debugger, nothing of what is freed.

Messages and passphrases stand in memory for a moment. A core file would put them on the
disk, a debugger of the same account would show them to anybody, and Python's own allocator
keeps what was freed as it was, for hours: the stories of a whole day. With the C library's,
told to overwrite whatever is freed, nothing is left of it.
"""

import asyncio
import ctypes
import gc
import os
import resource
import sys
from collections.abc import Mapping

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PRIVATE = 0o077
_TUNABLES = "GLIBC_TUNABLES"
FORGETS = 20.0
"""Seconds. Each time takes some 30 ms of the loop."""
_BYTE, _FRESH = 165, 64
_OVERWRITE = (f"glibc.malloc.perturb={_BYTE}", "glibc.malloc.tcache_count=0")
"""What stands where something was freed; and no cache in between, which would keep things as they were."""


def harden_process() -> bool:
    """Close this process's memory to others, and make new files private.

    Returns whether everything took hold; only Linux can refuse foreign memory access.
    """
    os.umask(_PRIVATE)
    return close_memory()


def close_memory() -> bool:
    """Forbid core files and foreign memory access; returns whether both took hold."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE)
    return is_hardened()


def overwrite_freed(environ: Mapping[str, str]) -> None:
    """Begin this program anew, once, so that the memory that it frees is overwritten.

    An allocator is chosen as a process starts. The process keeps its number, its arguments
    and what it was handed. Returns where that is so already, or where it cannot be: without
    the GNU C library.
    """
    wanted = overwriting(environ)
    if wanted == environ or not _has_gnu_libc():
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)  # nosec B606 # noqa: S606 - ourselves


def overwriting(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose processes overwrite what they free."""
    told = [part for part in environ.get(_TUNABLES, "").split(":") if part]
    missing = [part for part in _OVERWRITE if part not in told]
    tunables = ":".join((*told, *missing))
    return {**environ, "PYTHONMALLOC": "malloc", _TUNABLES: tunables}


def overwrites_freed() -> bool:
    """Tell whether this process overwrites what it frees, by a look at what it is given.

    The byte that overwrites is seen, inverted, in memory that is fresh; and Python's own
    allocator, which overwrites nothing, has no block in use.
    """
    if not _has_gnu_libc() or sys.getallocatedblocks():
        return False
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.free.argtypes = (ctypes.c_void_p,)
    place = library.malloc(_FRESH)
    found = ctypes.string_at(place, _FRESH)
    library.free(place)
    return found == bytes([_BYTE ^ 0xFF]) * _FRESH


async def forget() -> None:
    """Free, every ``FORGETS``, what refers to itself; Python does so when much is new.

    Each request that leaves by httpx, and each error with its trace, is such a thing: on a
    quiet day they would stay for hours.
    """
    while True:
        await asyncio.sleep(FORGETS)
        gc.collect()


def _has_gnu_libc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (OSError, ValueError):
        return False


def is_hardened() -> bool:
    """Tell whether this process leaves no core file and cannot be looked into."""
    no_core = resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    return no_core and _prctl(_PR_GET_DUMPABLE) == 0


def _prctl(option: int) -> int:
    if sys.platform != "linux":
        return -1
    return int(ctypes.CDLL(None).prctl(option, 0, 0, 0, 0))
