"""The simulator as a process: announces itself, ends quickly, stands alone."""

import ast
import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.simulator.__main__ import arguments
from tests.support.phones import Simulator, command
from tests.support.places import ROOT

PACKAGE = ROOT / "bot" / "simulator"
ALLOWED = {
    "bot.simulator",
    "cryptography",
    "httpx",
    "starlette",
    "typing_extensions",
    "uvicorn",
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.rglob("*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_it_imports_nothing_of_the_project(path):
    for name in imports(path):
        top = name.partition(".")[0]
        assert top in sys.stdlib_module_names or any(
            name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED
        ), name


def test_nothing_of_the_project_imports_it():
    for folder in ("bot", "handlers", "storage"):
        for path in (ROOT / folder).rglob("*.py"):
            if PACKAGE not in path.parents:
                assert not any(
                    name.startswith("bot.simulator") for name in imports(path)
                ), path


async def test_it_announces_its_address_and_ends_on_sigterm_with_polls_open(tmp_path):
    announce = tmp_path / "where.json"
    async with Simulator(announce=str(announce)) as simulator:
        said = json.loads(announce.read_text())
        assert said["url"] == simulator.url
        assert simulator.url.endswith(f":{said['port']}")
        token = simulator.settings["telegram_token"]
        poll = asyncio.create_task(
            simulator.client.get(f"/bot{token}/getUpdates?timeout=50")
        )
        await simulator.requests("telegram", "getUpdates", count=1)
        await simulator.stop()
        assert simulator.returncode == 0
        answer = await poll
        assert answer.json() == {"ok": True, "result": []}


def test_it_ends_when_its_parent_is_gone():
    script = (
        "import subprocess, sys\n"
        f"process = subprocess.Popen({command()!r}, stdout=subprocess.PIPE, text=True)\n"
        "process.stdout.readline()\n"
        "print(process.pid, flush=True)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    pid = int(done.stdout)
    descriptor = (
        os.pidfd_open(pid) if hasattr(os, "pidfd_open") and alive(pid) else None
    )
    if descriptor is not None:
        ended = wait_readable(descriptor, 10)
        os.close(descriptor)
        assert ended


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_readable(descriptor: int, timeout: float) -> bool:
    return bool(select.select([descriptor], [], [], timeout)[0])


def test_it_listens_on_loopback_only(capsys):
    with pytest.raises(SystemExit):
        arguments().parse_args(["--host", "0.0.0.0"])  # noqa: S104 - the point of the test
    assert "invalid choice" in capsys.readouterr().err
    assert arguments().parse_args([]).host == "127.0.0.1"


async def test_it_listens_on_ipv6_too():
    async with Simulator(host="::1") as simulator:
        assert simulator.url.startswith("http://[::1]:")
        assert (await simulator.client.get("/")).status_code == 200


def test_sigint_ends_it_too():
    process = subprocess.Popen(command(), stdout=subprocess.PIPE, text=True, cwd=ROOT)  # noqa: S603 - our own command
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    process.stdout.close()
