"""Protects the memory of this process: no core file, no debugger of the same account.

Messages and passphrases stand in the server's memory for a moment. A core file would
put them on the disk, a debugger of the same account would show them to anybody.
"""

import ctypes
import os
import resource
import sys

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PRIVATE = 0o077


def harden_process() -> bool:
    """Forbid core files and foreign memory access, and make new files private.

    Returns whether everything took hold; only Linux can refuse foreign memory access.
    """
    os.umask(_PRIVATE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE)
    return is_hardened()


def is_hardened() -> bool:
    """Tell whether this process leaves no core file and cannot be looked into."""
    no_core = resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    return no_core and _prctl(_PR_GET_DUMPABLE) == 0


def _prctl(option: int) -> int:
    if sys.platform != "linux":
        return -1
    return int(ctypes.CDLL(None).prctl(option, 0, 0, 0, 0))
