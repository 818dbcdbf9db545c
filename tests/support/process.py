"""``kentongan serve`` as a process of its own, on a store with its people."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from tests.support.founded import KEYS, House
from tests.support.places import ROOT
from tests.support.running import found

PATIENCE = 60.0
OUR_OWN = {"PYTHONMALLOC", "GLIBC_TUNABLES"}
"""What the process sets for itself, whatever the tests were started with."""


@dataclass(frozen=True, repr=False)
class Process:
    """A server that answers at ``url``."""

    running: subprocess.Popen[bytes]
    url: str
    log: Path


def settled(folder: Path) -> tuple[str, ServerKeys, House]:
    """Make a store with its people; its address, the server key, and who they are."""
    url, keys = f"sqlite:///{folder / 'kentongan.db'}", KEYS
    database = Database(url)
    house = found(database, keys)
    database.close()
    return url, keys, house


@contextmanager
def serving(
    folder: Path, port: int, environ: Mapping[str, str], *, descriptors: int = 0
) -> Iterator[Process]:
    """Start a server in ``folder`` and end it; it may open so many ``descriptors``."""

    def bound() -> None:
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    kept = {name: value for name, value in os.environ.items() if name not in OUR_OWN}
    log = folder / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"],
            cwd=folder,
            env=kept | {"PYTHONPATH": str(ROOT)} | dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            preexec_fn=bound,  # noqa: PLW1509 - no thread of this process holds a lock that it takes
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _answers(process, url, log)
        yield Process(process, url, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/healthz", trust_env=False, timeout=PATIENCE)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
