"""``kentongan serve`` as a process: it answers, it ends in order, it refuses in one line."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.support.places import ROOT
from tests.support.serving import free_port

PATIENCE = 30.0


def start(folder, **environ):
    given = {f"KENTONGAN_{name}": value for name, value in environ.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answers(url):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return httpx.get(url, trust_env=False, timeout=PATIENCE)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_told_to_end(terminal, number):
    port = free_port()
    # A provider that never answers: start and end wait for nobody.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = start(
            terminal.folder,
            SERVER__PORT=str(port),
            TELEGRAM__TOKEN="1:abc",
            TELEGRAM__API_BASE_URL=f"{url}/bot",
            TELEGRAM__FILE_BASE_URL=f"{url}/file/bot",
        )
        begun = time.monotonic()
        assert answers(f"http://127.0.0.1:{port}/readyz").text == "ready\n"
        assert time.monotonic() - begun < PATIENCE / 2
        assert (
            terminal("unit", "add", "Wilayah II").code == 0
        )  # beside a running server
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Traceback" not in out + err


def test_a_taken_port_is_one_line(terminal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = terminal.refused("serve", SERVER__PORT=str(port))
    assert f"port {port}" in line
    assert "in use" in line


def test_a_host_that_is_not_ours_is_one_line(terminal):
    line = terminal.refused("serve", SERVER__HOST="192.0.2.1", SERVER__PORT="9")
    assert "cannot listen" in line
    line = terminal.refused("serve", SERVER__HOST="no.such.host.invalid")
    assert "cannot listen" in line


def test_a_reader_that_goes_away_is_no_fault(terminal):
    process = subprocess.Popen(  # noqa: S602 - a pipe of the shell is what is tried
        f"{sys.executable} -m bot officer list --json | true",
        shell=True,
        cwd=terminal.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    assert "unexpected" not in err
