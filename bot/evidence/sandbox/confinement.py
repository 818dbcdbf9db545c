"""How the sandbox locks itself in: no network, few files, a bound for everything.

It does so before it sees the first byte of a stranger's file. Files are barred by Landlock,
which a kernel has since 5.13; ``bars_files`` tries it on this machine.
"""

import contextlib
import ctypes
import os
import resource
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MEMORY: Final = 1536 << 20
"""Bytes of address space; a picture of 50 million pixels needs some 700 MiB."""
CPU_SECONDS: Final = 60
NICE: Final = 10
"""Messages and officers come first."""
OPEN_FILES: Final = 64
LARGEST: Final = 2 << 30
"""Bytes of a file that ffmpeg may write (in memory, nothing goes to the disk)."""
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _DUMPABLE, _DIES_WITH_PARENT = 38, 4, 1
_KILL = 9
_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""Landlock's system calls; they have these numbers on every machine."""
_ASKS_VERSION, _BENEATH = 1, 1
_RUNS, _WRITES, _READS, _LISTS = 1, 2, 4, 8
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16, 9: 17}
"""Rights over files by the version that first had them: so many bits, from the lowest."""
_OPENED_BY_FFMPEG: Final = {
    "/usr": _RUNS | _READS | _LISTS,
    "/lib": _RUNS | _READS | _LISTS,
    "/lib64": _RUNS | _READS | _LISTS,
    "/etc/ld.so.cache": _READS,
    "/dev/null": _READS | _WRITES,
}
"""What ffmpeg may open beside the original, which lies in memory."""


def lock(*, starts_programs: bool) -> None:
    """Lock this process in. ``starts_programs``: what it starts (ffmpeg) opens files.

    Without that no file can be opened any more: what is needed is imported before. What
    this machine refuses (a namespace in a container) or does not have (Landlock) is left
    out: the rest holds all the same.
    """
    os.nice(NICE)
    with contextlib.suppress(OSError):
        # Where memory runs out, this process is killed and not the server.
        Path("/proc/self/oom_score_adj").write_text("1000")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DIES_WITH_PARENT, _KILL, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    if libc.unshare(_NEW_NET) != 0:
        libc.unshare(_NEW_USER | _NEW_NET)
    bar(libc, _OPENED_BY_FFMPEG if starts_programs else {})
    _most(resource.RLIMIT_CORE, 0)
    _most(resource.RLIMIT_AS, MEMORY)
    _most(resource.RLIMIT_CPU, CPU_SECONDS)
    _most(resource.RLIMIT_FSIZE, LARGEST if starts_programs else 0)
    _most(resource.RLIMIT_NOFILE, OPEN_FILES if starts_programs else _first_free())


def bars_files() -> bool:
    """Lock this process in and tell whether it is barred from the files of others.

    Raises OSError.
    """
    lock(starts_programs=True)
    try:
        os.close(os.open("/", os.O_RDONLY))
    except PermissionError:
        return True
    return False


def landlock_version(libc: ctypes.CDLL) -> int:
    """Return Landlock's version, 0 where the kernel has none or does not let us."""
    told: int = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _ASKS_VERSION)
    return max(told, 0)


def rules(version: int) -> bytes:
    """Return all that a version can refuse: files, TCP, other processes' nameless sockets.

    A kernel takes no right that it does not know.
    """
    bits = max(bits for since, bits in _FILE_RIGHTS.items() if since <= version)
    parts = [(1 << bits) - 1]
    if version >= 4:  # noqa: PLR2004 - binding and connecting by TCP
        parts.append(0b11)
    if version >= 6:  # noqa: PLR2004 - abstract sockets, and signals
        parts.append(0b11)
    return struct.pack(f"={len(parts)}Q", *parts)


def bar(libc: ctypes.CDLL, allowed: Mapping[str, int]) -> None:
    """Let this process, and whatever it starts, open what is allowed. Raises OSError."""
    version = landlock_version(libc)
    if not version:
        return
    asked = rules(version)
    held = _done(libc.syscall(_CREATE, asked, ctypes.c_size_t(len(asked)), 0))
    for path, rights in allowed.items():
        with contextlib.suppress(FileNotFoundError):
            number = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", rights, number)
            _done(libc.syscall(_ADD, held, _BENEATH, rule, 0))
            os.close(number)
    _done(libc.syscall(_RESTRICT, held, 0))
    os.close(held)


def _done(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "the sandbox cannot be locked")
    return answer


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
