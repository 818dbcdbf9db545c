"""The sandbox really is locked: tried from inside, in a process that then ends."""

import ctypes
import json
import os
import socket
import subprocess
import sys

import pytest

from bot.evidence import converter
from bot.evidence.sandbox import confinement
from tests.support.places import ROOT

PROGRAM = """
import json, os, resource, socket, sys
from bot.evidence.sandbox import confinement
if {shares_network}:
    confinement._NEW_USER = confinement._NEW_NET = 0
confinement.lock(starts_programs={starts_programs})
tried = {{}}

def trial(name, act):
    try:
        act()
        tried[name] = "done"
    except Exception as error:
        tried[name] = type(error).__name__

def knock(at):
    with socket.socket(socket.AF_UNIX) as knocking:
        knocking.connect(at)

def start(program):
    if os.spawnv(os.P_WAIT, program, [program]) != 0:
        raise PermissionError

trial("reads", lambda: open("/etc/shadow").read())
trial("lists", lambda: os.listdir("/etc"))
trial("erases", lambda: os.unlink("{victim}"))
trial("moves", lambda: os.rename("{victim}", "{victim}.moved"))
trial("makes", lambda: os.mkdir("{victim}.made"))
trial("nameless", lambda: knock("\\0{name}"))
trial("named", lambda: knock("{named}"))
trial("connects", lambda: socket.socket().connect(("127.0.0.1", {port})))
trial("starts", lambda: start("/bin/true"))
trial("writes", lambda: os.write(os.open("{path}", os.O_CREAT | os.O_WRONLY), b"x" * 9))
trial("runs_own", lambda: start("{own}"))
trial("hands", lambda: (os.close(0), open("/etc/shadow").read()))
trial("eats", lambda: bytearray(2 << 30))
tried["core"] = resource.getrlimit(resource.RLIMIT_CORE)[1]
print(json.dumps(tried))
"""

needs_landlock = pytest.mark.skipif(
    confinement.landlock_version(ctypes.CDLL(None)) == 0,
    reason="this kernel has no Landlock: files are not barred",
)


@pytest.fixture
def tried(request, tmp_path):
    """Return what a locked process could do."""
    own = tmp_path / "own"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    (tmp_path / "victim").write_text("ours")
    name = f"kentongan-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as neighbour,
        socket.socket(socket.AF_UNIX) as resident,
    ):
        resident.bind(str(tmp_path / "door"))
        resident.listen()
        neighbour.bind(f"\0{name}")
        neighbour.listen()
        program = PROGRAM.format(
            starts_programs=bool(request.param),
            shares_network=request.param == "shares network",
            port=listener.getsockname()[1],
            name=name,
            named=tmp_path / "door",
            own=own,
            path=tmp_path / "left",
            victim=tmp_path / "victim",
        )
        said = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        )
    return json.loads(said.stdout)


@pytest.mark.parametrize("tried", [False], indirect=True)
def test_a_locked_sandbox_opens_nothing(tried, tmp_path):
    refused = {"OSError", "PermissionError"}
    assert {tried["reads"], tried["connects"], tried["writes"]} <= refused
    assert tried["eats"] == "MemoryError"
    assert tried["core"] == 0
    assert not (tmp_path / "left").exists()


@pytest.mark.parametrize("tried", [True], indirect=True)
def test_a_sandbox_with_ffmpeg_reaches_nobody_and_eats_no_more(tried):
    assert tried["eats"] == "MemoryError"
    if tried["connects"] == "done":
        pytest.skip("this machine lets nobody make a network of its own")
    assert tried["connects"] in {"OSError", "PermissionError"}


@needs_landlock
@pytest.mark.parametrize("tried", [False, True], indirect=True)
def test_no_sandbox_touches_the_files_of_the_server(tried, tmp_path):
    barred = ("hands", "erases", "moves", "makes", "runs_own")
    assert {tried[name] for name in barred} == {"PermissionError"}
    refused = {tried[name] for name in ("reads", "lists", "writes")}
    assert refused <= {"PermissionError", "OSError"}, (
        "OSError: no number is left for it"
    )
    assert (tmp_path / "victim").read_text() == "ours"
    assert {one.name for one in tmp_path.iterdir()} == {"door", "own", "victim"}


@needs_landlock
@pytest.mark.parametrize("tried", [True], indirect=True)
def test_a_sandbox_with_ffmpeg_starts_programs_and_reaches_no_abstract_socket(tried):
    assert tried["starts"] == "done"
    assert tried["nameless"] in {"PermissionError", "ConnectionRefusedError"}


@pytest.mark.parametrize("tried", ["shares network"], indirect=True)
def test_where_it_has_no_network_of_its_own_a_sandbox_makes_no_connection(tried):
    if tried["connects"] == "done":
        pytest.skip("only Landlock 4 refuses TCP")
    assert tried["connects"] == "PermissionError"


@pytest.mark.parametrize("tried", [True], indirect=True)
def test_a_sandbox_with_ffmpeg_reaches_no_socket_that_has_a_path(tried):
    if tried["named"] == "done":
        pytest.skip("only Landlock 9 keeps ffmpeg from a socket that has a path")
    assert tried["named"] == "PermissionError"


@pytest.mark.parametrize(
    ("version", "files", "rest"),
    [
        (1, 0x1FFF, ()),
        (2, 0x3FFF, ()),
        (3, 0x7FFF, ()),
        (4, 0x7FFF, (3,)),
        (5, 0xFFFF, (3,)),
        (6, 0xFFFF, (3, 3)),
        (8, 0xFFFF, (3, 3)),
        (9, 0x1FFFF, (3, 3)),
        (99, 0x1FFFF, (3, 3)),
    ],
)
def test_a_kernel_is_asked_for_no_right_that_it_does_not_know(version, files, rest):
    asked = memoryview(confinement.rules(version)).cast("Q").tolist()
    assert tuple(asked) == (files, *rest)


class Without(ctypes.CDLL):
    """A C library on a kernel without Landlock, which must not be asked for more."""

    def __init__(self) -> None:
        self.asked = 0

    def syscall(self, *_: object) -> int:
        self.asked += 1
        return -1


def test_the_sandbox_tells_whether_files_are_barred():
    """It tries; the kernel's own word is what it must agree with."""
    has_landlock = confinement.landlock_version(ctypes.CDLL(None)) > 0
    assert converter.bars_files() is has_landlock


def test_without_landlock_the_sandbox_tells_that_files_are_not_barred():
    program = (
        "import sys; from bot.evidence.sandbox import __main__, confinement; "
        "confinement.landlock_version = lambda _: 0; "
        "sys.argv = ['sandbox', 'bars_files']; __main__.main()"
    )
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True
    )
    assert told.stdout == b"no\n"


def test_a_sandbox_that_cannot_be_asked_is_not_taken_for_an_open_one(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(subprocess.CalledProcessError):
        converter.bars_files()


def test_without_landlock_the_rest_still_holds():
    libc = Without()
    confinement.bar(libc, {"/usr": 1})
    assert libc.asked == 1


def test_what_cannot_be_locked_is_not_used(monkeypatch):
    """A kernel that has Landlock and refuses: better no copy than an open sandbox."""
    monkeypatch.setattr(confinement, "landlock_version", lambda _: 1)
    with pytest.raises(OSError, match="cannot be locked"):
        confinement.bar(Without(), {})
