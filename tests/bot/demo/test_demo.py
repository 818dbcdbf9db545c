"""``kentongan demo`` as a newcomer runs it: real processes, ended in every way."""

import asyncio
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bot.demo import agency, demo
from bot.settings.sections import Keys, Settings
from bot.terminal import refusals
from tests.support.phones import Phone, Simulator
from tests.support.places import ROOT
from tests.support.terminal import Terminal

PATIENCE = 120.0


@pytest.fixture(autouse=True)
def signals_as_before():
    """Give back the handler that a demo in this process took."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Demo:
    """A running demo."""

    def __init__(self, folder, **environ):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KENTONGAN_")}
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "bot", "demo", "--folder", str(folder)],
            cwd=ROOT,
            env=clean | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.printed = self.process.stdout
        self.lines: list[str] = []

    def waits_for(self, pattern):
        """Read what is printed until a line fits; return its first group."""
        impatience = threading.Timer(PATIENCE, self.process.kill)
        impatience.start()
        try:
            return self.reads(pattern)
        finally:
            impatience.cancel()

    def reads(self, pattern):
        for line in self.printed:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match[match.lastindex or 0]
        raise AssertionError("".join(self.lines))

    def starts(self):
        """Wait until it can be used; remember its two addresses."""
        self.phones = self.waits_for(r"Phones: +(\S+)/$")
        self.console = self.waits_for(r"Console: +(\S+)$")
        self.waits_for("Ctrl-C ends the demo")

    def ends(self, number=signal.SIGTERM):
        """End it; return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.printed.close()
        return code


@contextmanager
def running(folder, **environ):
    started = Demo(folder, **environ)
    try:
        started.starts()
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
        started.printed.close()


async def number_on(phone):
    """Wait for the receipt; return its case number."""
    while True:
        text = await phone.hears("Nomor")
        if match := re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", text):
            return match[0]


def is_gone(url):
    """Wait until nobody listens there."""
    address = ("127.0.0.1", int(url.rsplit(":", 1)[1].partition("/")[0]))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(address):
                return True
        time.sleep(0.05)
    return False


async def test_a_newcomer_reports_twice_and_the_officer_is_alerted(tmp_path):
    folder = tmp_path / "demo"
    with running(folder) as one:
        async with httpx.AsyncClient(base_url=one.phones, timeout=70) as client:
            assert (await client.get("/")).is_success
            answer = await client.get(one.console, follow_redirects=True)
            assert answer.is_success
            officer, sms = Phone(client, "officer"), Phone(client, "sms")
            assert "Siti" in (await officer.look())["title"]
            await officer.skips_to_now()
            await sms.say("LAPOR Uang proyek jalan desa hilang")
            number = await number_on(sms)
            alert = await officer.gets(number)
            assert alert["buttons"]
        text = "".join(one.lines)
        for login, passphrase in agency.PASSPHRASES.items():
            assert f"{login:<7} {passphrase}" in text
        assert "on the page with the phones" in text
        secrets = folder / "authenticator.json"
        assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
        arguments = [path.read_text() for path in children(one.process.pid)]
        assert any("bot.simulator" in line for line in arguments)
        for word in json.loads(secrets.read_text()).values():
            assert not any(word in line for line in arguments)
        assert await asyncio.to_thread(one.ends, signal.SIGINT) == 0
        assert await asyncio.to_thread(is_gone, one.phones)
    second = await a_second_run_that_is_killed(folder)
    config = folder / "config.toml"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    with agency.claimed(folder, fresh=False):
        line = Terminal(tmp_path).refused("demo", "--folder", str(folder))
        assert "running in this folder already" in line
    terminal = Terminal(tmp_path)
    said = terminal("--config", str(config), "case", "list")
    assert number in said.out
    assert second in said.out
    assert terminal("--config", str(config), "doctor").code == 1
    assert "demo" in terminal.refused("--config", str(config), "serve")


async def a_second_run_that_is_killed(folder):
    """Report once more after everything was stopped; return the case's number.

    A demo that is killed takes its phones with it.
    """
    with running(folder) as one:
        async with httpx.AsyncClient(base_url=one.phones, timeout=70) as client:
            officer, phone = Phone(client, "officer"), Phone(client, "telegram")
            await officer.skips_to_now()
            await phone.say("LAPOR Uang proyek jalan desa hilang")
            number = await number_on(phone)
            assert await officer.gets(number)
        await asyncio.to_thread(one.ends, signal.SIGKILL)
        assert await asyncio.to_thread(is_gone, one.phones)
        assert await asyncio.to_thread(is_gone, one.console)
    return number


def children(pid):
    """Return the command lines of a process and of what it started."""
    with_threads = Path(f"/proc/{pid}/task").glob("*/children")
    started = " ".join(path.read_text() for path in with_threads).split()
    return [Path(f"/proc/{each}/cmdline") for each in (pid, *started)]


async def test_a_real_token_makes_telegram_real(tmp_path):
    """Another simulator stands for the real Telegram."""
    token = "987654321:AAE-a-real-token-of-somebody"
    async with Simulator(telegram_token=token) as real:
        environ = {
            "KENTONGAN_TELEGRAM__TOKEN": token,
            "KENTONGAN_TELEGRAM__API_BASE_URL": f"{real.url}/bot",
            "KENTONGAN_TELEGRAM__FILE_BASE_URL": f"{real.url}/file/bot",
            "KENTONGAN_DATABASE__URL": "sqlite:////nowhere/real.db",
        }
        one = Demo(tmp_path / "demo", **environ)
        try:
            start = await asyncio.to_thread(one.waits_for, r"(/start \S+)")
            phone = real.phone("officer")
            await phone.say(start)
            assert "hubung" in await phone.hears("hubung", timeout=PATIENCE)
            text = (tmp_path / "demo" / "config.toml").read_text()
            assert token not in text
        finally:
            code = await asyncio.to_thread(one.ends)
        assert code == 0


@pytest.mark.parametrize("words", [(), ("--fresh",)])
def test_a_folder_that_is_no_demo_is_left_alone(tmp_path, words):
    (tmp_path / "thesis.txt").write_text("years of work")
    line = Terminal(tmp_path).refused("demo", "--folder", str(tmp_path), *words)
    assert "something else than a demo" in line
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_fresh_forgets_the_last_run(tmp_path):
    with agency.claimed(tmp_path, fresh=False):
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "sealed").touch()
        (tmp_path / "kentongan.db").touch()
    with agency.claimed(tmp_path, fresh=True):
        assert [path.name for path in tmp_path.iterdir()] == [agency.MARKER]


def test_a_lost_key_asks_for_a_fresh_start(tmp_path, now):
    (tmp_path / "kentongan.db").touch()
    settings = Settings(keys=Keys(server_key_file=tmp_path / "server.key"))
    with pytest.raises(agency.DemoBroken) as broken:
        agency.furnish(tmp_path, settings, now=now)
    assert "--fresh" in refusals.line(broken.value)


def test_a_taken_port_gives_way_to_a_free_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo.free_port(port) not in {0, port}
    assert demo.free_port(port) == port


@pytest.mark.parametrize(
    "name", ["DATABASE__URL", "SERVER__PORT", "KEYS__SERVER_KEY", "CONFIG"]
)
def test_nothing_leads_the_demo_to_another_store(name):
    given = {
        f"KENTONGAN_{name}": "x",
        "KENTONGAN_TELEGRAM__MODE": "polling",
        "ROOT": "/",
    }
    assert demo.environment(given) == {
        "KENTONGAN_TELEGRAM__MODE": "polling",
        "ROOT": "/",
    }


def test_a_greeting_that_fails_ends_the_demo(monkeypatch):
    ended = []
    monkeypatch.setattr("bot.demo.demo._answers", lambda _: 1 / 0)
    monkeypatch.setattr("bot.demo.demo.os.kill", lambda *given: ended.append(given))
    greeter = demo.Greeter(Settings(), "", print, live=False)
    greeter.start()
    greeter.join()
    assert ended == [(os.getpid(), signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError):
        greeter.raise_fault()


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("bot.demo.demo.PATIENCE", 0.1)
    greeter = demo.Greeter(Settings(), "", print, live=False)
    monkeypatch.setattr("bot.demo.demo._answers", lambda _: False)
    monkeypatch.setattr("bot.demo.demo.os.kill", lambda *_: None)
    greeter.run()
    with pytest.raises(demo.NotStarted):
        greeter.raise_fault()


def test_a_port_stays_ours_until_it_is_served():
    with demo.held_port(0) as held:
        port = held.getsockname()[1]
        assert demo.free_port(port) != port


def test_phones_whose_port_was_taken_meanwhile_get_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo.simulator(tmp_path, console=1, phones=port) as provider:
            assert provider["base_url"].startswith("http://127.0.0.1:")
            assert not provider["base_url"].endswith(f":{port}")


def test_phones_that_do_not_start_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.demo.demo.sys.executable", "/bin/false")
    with (
        pytest.raises(demo.NotStarted),
        demo.simulator(tmp_path, console=1, phones=0),
    ):
        pass
