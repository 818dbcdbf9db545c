"""The demo: a small agency, four phones in a page, and the real server between them.

Three phones are reporters', one is an officer's.

Nothing above the providers' HTTP interface is simulated. The simulator is a process of
its own that ends with this one. With a real token in the environment Telegram is real.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
from typing_extensions import override

from bot.clock import utc_now
from bot.demo import agency
from bot.settings import loading
from bot.settings.sections import Settings

CONSOLE_PORT, PHONES_PORT = 8080, 8081
PATIENCE = 60.0
"""Seconds to wait for a part of the demo to answer."""
_LOOPBACK = "127.0.0.1"
_STEP = 0.05
_OFFICER_PHONE = "officer"
_PASSED_ON = ("KENTONGAN_TELEGRAM__", "KENTONGAN_LOGS__", "KENTONGAN_AGENCY__")
_PROVIDER = (
    "base_url", "telegram_token", "account_sid", "auth_token", "sms_number",
    "whatsapp_number",
)  # fmt: skip

Say = Callable[[str], None]


class NotStarted(Exception):
    """A part of the demo did not start; the lines above say why."""


def run(
    folder: Path,
    environ: Mapping[str, str],
    *,
    fresh: bool,
    say: Say,
    app: Callable[[], ModuleType],
) -> None:
    """Run the demo until Ctrl-C or SIGTERM; ``say`` is told the progress, line by line.

    ``app`` loads the server (``bot.app``) when its turn has come.
    """
    given, live = environment(environ), is_live(environ)
    signal.signal(signal.SIGTERM, _end)
    with suppress(KeyboardInterrupt), agency.claimed(folder, fresh=fresh) as home:
        listening, phones = held_port(CONSOLE_PORT), free_port(PHONES_PORT)
        console = int(listening.getsockname()[1])
        say("Starting the phones")
        with (
            closing(listening),
            simulator(home, console=console, phones=phones) as provider,
        ):
            path = agency.write_config(home, provider, console=console, live=live)
            settings = loading.load(path, given)
            say("Setting up keys, database and officers")
            is_new = agency.furnish(home, settings, now=utc_now())
            say(
                "A new agency is ready"
                if is_new
                else "The agency of the last run is back"
            )
            say("Starting the server")
            greeter = Greeter(settings, provider["base_url"], say, live=live)
            serve = app().serve
            greeter.start()
            try:
                serve(settings, environ=given, allow_demo=True, listening=listening)
            finally:
                greeter.raise_fault()


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the demo takes from outside: nothing that leads to another store."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("KENTONGAN_") or name.startswith(_PASSED_ON)
    }


def is_live(environ: Mapping[str, str]) -> bool:
    """Tell whether the real Telegram is wanted: its token is in the environment."""
    names = ("KENTONGAN_TELEGRAM__TOKEN", "KENTONGAN_TELEGRAM__TOKEN_FILE")
    return any(environ.get(name) for name in names)


def held_port(wanted: int) -> socket.socket:
    """Listen on the wanted port of this machine, or a free one if somebody has it.

    Held until it is served: another demo that starts meanwhile takes another one.
    """
    for port in (wanted, 0):
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((_LOOPBACK, port))
            held.listen()
        except OSError:
            held.close()
            continue
        return held
    raise NotStarted


def free_port(wanted: int) -> int:
    """Return the wanted port of this machine, or a free one if somebody has it."""
    with closing(held_port(wanted)) as held:
        return int(held.getsockname()[1])


@contextmanager
def simulator(folder: Path, *, console: int, phones: int) -> Iterator[dict[str, str]]:
    """Run the simulator beside us and yield what it says of itself.

    It ends with us, however we end. Whoever took its port meanwhile keeps it: it gets
    another one.
    """
    announced = folder / "simulator.json"
    announced.unlink(missing_ok=True)
    webhooks = f"http://{_LOOPBACK}:{console}/webhooks/twilio"
    options = {
        "--port": str(phones),
        "--announce": str(announced),
        "--sms-webhook": f"{webhooks}/sms",
        "--whatsapp-webhook": f"{webhooks}/whatsapp",
        "--officer-name": agency.NAMES[agency.SUPERVISOR],
        "--authenticator": str(agency.phones(folder)),
        "--console-url": f"http://{_LOOPBACK}:{console}/console/",
        # Provider ids of the last run must not come again.
        "--seed": secrets.token_hex(8),
    }
    process = _started(options)
    try:
        try:
            url = _announced(announced, process)
        except NotStarted:
            if process.poll() is None or not phones:
                raise
            process = _started({**options, "--port": "0"})
            url = _announced(announced, process)
        yield _about(url)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(options: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    given = [part for option in options.items() for part in option]
    return subprocess.Popen(  # noqa: S603 - our own module, our own arguments
        [sys.executable, "-m", "bot.simulator", "--with-parent", *given],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _announced(file: Path, process: "subprocess.Popen[bytes]") -> str:
    """Wait for the simulator's address."""
    end = time.monotonic() + PATIENCE
    while not file.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise NotStarted
        time.sleep(_STEP)
    found: dict[str, Any] = json.loads(file.read_text())
    return str(found["url"])


def _about(url: str) -> dict[str, str]:
    answer = httpx.get(f"{url}/control/settings", timeout=PATIENCE, trust_env=False)
    found = answer.raise_for_status().json()
    return {name: str(found[name]) for name in _PROVIDER}


class Greeter(threading.Thread):
    """Waits for the server, links the officer's phone, says where everything is.

    When it cannot, it ends the demo: ``raise_fault`` tells why.
    """

    def __init__(
        self, settings: Settings, phones: str, say: Say, *, live: bool
    ) -> None:
        super().__init__(name="greeter", daemon=True)
        self._settings, self._phones, self._say, self._live = (
            settings,
            phones,
            say,
            live,
        )
        self._fault: Exception | None = None

    @override
    def run(self) -> None:
        try:
            self._greet()
        except Exception as error:  # noqa: BLE001 - raised again where it can be told
            self._fault = error
            os.kill(os.getpid(), signal.SIGTERM)

    def raise_fault(self) -> None:
        """Raise what went wrong here, if anything did."""
        if self._fault is not None:
            raise self._fault

    def _greet(self) -> None:
        console = self._settings.server.public_url
        _wait_until(lambda: _answers(f"{console}/healthz"))
        token = agency.link_token(self._settings, now=utc_now())
        if not self._live:
            self._press_start(token)
            _wait_until(lambda: agency.is_linked(self._settings))
        linked = (
            f"Officer's alerts on your own Telegram: send your bot  /start {token}"
            if self._live
            else "The fourth phone is the officer's Telegram: alerts arrive there."
        )
        lines = [
            "",
            f"  Phones:   {self._phones}/",
            f"  Console:  {console}/console/",
            "  Sign in:",
            *(f"    {who:<7} {word}" for who, word in agency.PASSPHRASES.items()),
            "  The code for the second step: on the page with the phones.",
            "",
            f"  {linked}",
            "  Everybody knows these passphrases: report nothing real. Ctrl-C ends the demo.",
            "",
        ]
        self._say("\n".join(lines))

    def _press_start(self, token: str) -> None:
        """Let the officer's phone open the deep link."""
        httpx.post(
            f"{self._phones}/control/phones/{_OFFICER_PHONE}/start",
            json={"payload": token},
            timeout=PATIENCE,
            trust_env=False,
        ).raise_for_status()


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise NotStarted
        time.sleep(_STEP)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=PATIENCE, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _end(_number: int, _frame: object) -> None:
    """End as Ctrl-C does, so that everything that was begun is ended too."""
    raise KeyboardInterrupt
