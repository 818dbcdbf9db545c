"""A hardened process leaves no core file, no open memory, no open files, and forgets."""

import asyncio
import multiprocessing
import os
import re
import socket
import subprocess
import sys

import pytest

from bot.assembly import hardening
from tests.support.places import ROOT

LINUX = sys.platform == "linux"
NAMES = ("PYTHONMALLOC", "GLIBC_TUNABLES")
BYTE, CACHE = "glibc.malloc.perturb=165", "glibc.malloc.tcache_count=0"
PLAIN = {name: value for name, value in os.environ.items() if name not in NAMES}
ANEW = """
import os, socket, sys
from bot.assembly import hardening
print(os.getpid(), hardening.overwrites_freed(), *sys.argv[1:], flush=True)
hardening.overwrite_freed(os.environ)
handed = socket.socket(fileno=int(sys.argv[1]))
print(handed.getsockname()[1])
"""
TYPED = """
import atexit, sys
from bot.assembly import hardening
from bot.cli import main
def tell(): print(hardening.is_hardened(), hardening.overwrites_freed())
atexit.register(tell)
main()
"""
needs_gnu = pytest.mark.skipif(
    not hardening._has_gnu_libc(),  # noqa: SLF001 - what the machine is
    reason="without the GNU C library nothing overwrites what is freed",
)


def run(program: str, *words: str, **more) -> list[str]:
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program, *words],
        env=PLAIN | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        **more,
    )
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return [str(process.pid), *out.splitlines()]


def test_a_hardened_process_keeps_to_itself():
    with multiprocessing.get_context("spawn").Pool(1) as worker:
        before = worker.apply(hardening.is_hardened)
        after = worker.apply(hardening.harden_process)
        umask = worker.apply(os.umask, (0,))
        worker.close()
        worker.join()
    assert (before, after, umask) == (False, LINUX, 0o077)


def test_elsewhere_than_on_linux_memory_stays_open(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not hardening.is_hardened()


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ("", f"{BYTE}:{CACHE}"),
        (f"{CACHE}", f"{CACHE}:{BYTE}"),
        ("glibc.malloc.arena_max=2", f"glibc.malloc.arena_max=2:{BYTE}:{CACHE}"),
        (f"{BYTE}:{CACHE}", f"{BYTE}:{CACHE}"),
    ],
)
def test_what_the_operator_tuned_stays(given, becomes):
    found = hardening.overwriting({"GLIBC_TUNABLES": given, "HOME": "/"})
    wanted = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": becomes, "HOME": "/"}
    assert found == wanted
    assert hardening.overwriting(found) == found


@needs_gnu
def test_a_program_begins_anew_once_and_keeps_what_it_was_handed():
    with socket.create_server(("127.0.0.1", 0)) as handed:
        number, port = str(handed.fileno()), str(handed.getsockname()[1])
        pid, *said = run(ANEW, number, "word", pass_fds=[handed.fileno()])
    before, after = f"{pid} False {number} word", f"{pid} True {number} word"
    assert said == [before, after, port]


@needs_gnu
def test_whatever_command_is_typed_it_is_hardened():
    assert run(TYPED, "keys", "new-recovery", "--help")[-1] == "True True"


def test_this_process_is_not():
    assert not hardening.overwrites_freed()


@pytest.mark.parametrize("unit", ["kentongan.service", "kentongan-backup.service"])
def test_the_unit_sets_what_the_program_would(unit):
    lines = (ROOT / "deploy" / unit).read_text()
    told = dict(re.findall(r"^Environment=(\w+)=(\S+)$", lines, re.MULTILINE))
    assert hardening.overwriting(told) == told


async def test_what_refers_to_itself_is_freed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hardening, "FORGETS", 0.01)
    freed = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Told:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            loop.call_soon_threadsafe(freed.set)

    Told()
    forgetting = asyncio.create_task(hardening.forget())
    async with asyncio.timeout(10):
        await freed.wait()
    forgetting.cancel()
