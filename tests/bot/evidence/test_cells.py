"""The cell really is locked: tried from inside, in a process that then ends."""

import json
import subprocess
import sys

import pytest

from tests.phones import ROOT

PROGRAM = """
import json, os, resource, socket, sys
from bot.evidence import cells
cells.lock(converts={converts})
tried = {{}}

def trial(name, act):
    try:
        act()
        tried[name] = "done"
    except Exception as error:
        tried[name] = type(error).__name__

trial("reads", lambda: open("/etc/passwd").read())
trial("connects", lambda: socket.create_connection(("127.0.0.1", {port}), 2))
trial("starts", lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]))
trial("writes", lambda: os.write(os.open("{path}", os.O_CREAT | os.O_WRONLY), b"x" * 9))
trial("eats", lambda: bytearray(2 << 30))
tried["core"] = resource.getrlimit(resource.RLIMIT_CORE)[1]
print(json.dumps(tried))
"""


@pytest.fixture
def tried(request, tmp_path):
    """Return what a locked process could do."""
    import socket  # noqa: PLC0415 - a listener on loopback, for the inside to knock at

    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = PROGRAM.format(
            converts=request.param,
            port=listener.getsockname()[1],
            path=tmp_path / "left",
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
def test_a_locked_cell_opens_nothing(tried, tmp_path):
    assert tried["reads"] == tried["connects"] == tried["writes"] == "OSError"
    assert tried["eats"] == "MemoryError"
    assert tried["core"] == 0
    assert not (tmp_path / "left").exists()


@pytest.mark.parametrize("tried", [True], indirect=True)
def test_a_converters_cell_reaches_nobody_and_eats_no_more(tried):
    assert tried["eats"] == "MemoryError"
    if tried["connects"] == "done":
        pytest.skip("this machine lets nobody make a network of its own")
    assert tried["connects"] == "OSError"
