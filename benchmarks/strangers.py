"""Whether the real server still answers while strangers hold its connections.

    python -m benchmarks.strangers [STRANGERS [DESCRIPTORS]]

Without more: 1,100 strangers of each kind against ``ulimit -n 1024``, with the waits of a fresh installation. While they
hold still, and new ones come for each that was sent away, health, a page of the console and a webhook are asked for.
"""

import contextlib
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.support.doors import SECRET, environment
from tests.support.phones import PLAIN
from tests.support.process import Process, serving, settled
from tests.support.serving import free_port

HEAD = b"POST /webhooks/twilio/sms HTTP/1.1\r\nHost: a\r\n"
FORM = (
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\na"
)
KINDS = {
    "nobody": None,
    "silent socket": b"",
    "slow header": HEAD + b"X: ",
    "slow body": HEAD + FORM,
}
ROUNDS = 20
PATIENCE = 30.0
PERSON = {"id": 5001, "first_name": "Sari"}


class Crowd:
    """So many strangers; whoever is sent away comes again."""

    def __init__(self, server: Process, says: bytes, count: int) -> None:
        address = httpx.URL(server.url)
        self._at, self._says = (address.host, address.port or 80), says
        self._here = [self._come() for _ in range(count)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._stay)
        self.came = count

    def _come(self) -> socket.socket:
        one = socket.create_connection(self._at, timeout=PATIENCE)
        with contextlib.suppress(ConnectionError):
            one.sendall(self._says)
        one.settimeout(0)
        return one

    def _stay(self) -> None:
        while not self._over.wait(0.2):
            for place, one in enumerate(self._here):
                if not self._is_gone(one):
                    continue
                one.close()
                with contextlib.suppress(OSError):
                    self._here[place] = self._come()
                    self.came += 1

    def _is_gone(self, one: socket.socket) -> bool:
        try:
            return not one.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True

    @contextlib.contextmanager
    def staying(self) -> Iterator[None]:
        """Keep them there until the end."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()
            for one in self._here:
                one.close()


def asked(server: Process) -> dict[str, list[float]]:
    """Ask for each route again and again, on a new connection each time; the seconds."""
    waits: dict[str, list[float]] = {"health": [], "page": [], "webhook": []}
    for number in range(ROUNDS):
        for name, found in waits.items():
            began = time.perf_counter()
            _ask(server, name, number)
            found.append(time.perf_counter() - began)
        time.sleep(0.1)
    return waits


def _ask(server: Process, name: str, number: int) -> None:
    with httpx.Client(
        base_url=server.url, trust_env=False, verify=PLAIN, timeout=PATIENCE
    ) as client:
        if name == "webhook":
            message = {
                "message_id": number,
                "date": int(time.time()),
                "text": "BANTUAN",
            }
            told = {**message, "from": PERSON, "chat": {**PERSON, "type": "private"}}
            answer = client.post(
                "/webhooks/telegram",
                content=json.dumps(
                    {"update_id": time.time_ns() >> 20, "message": told}
                ),
                headers={"X-Telegram-Bot-Api-Secret-Token": SECRET},
            )
        else:
            answer = client.get("/healthz" if name == "health" else "/console/sign-in")
    answer.raise_for_status()


def opened(server: Process) -> int:
    """Return how many descriptors the server holds."""
    return len(list(Path(f"/proc/{server.running.pid}/fd").iterdir()))


def measure(server: Process, kind: str, says: bytes | None, count: int) -> None:
    """Print what the server did while they were there."""
    crowd = Crowd(server, says or b"", 0 if says is None else count)
    with crowd.staying():
        waits, held = asked(server), opened(server)
    for name, found in waits.items():
        middle, worst = statistics.median(found) * 1000, max(found) * 1000
        print(
            f"{kind:14} {name:8} {len(found)} of {ROUNDS} answered  "
            f"p50 {middle:7.1f} ms  worst {worst:7.1f} ms  "
            f"{held} descriptors, {crowd.came} came"
        )


def main() -> None:
    """Measure in a folder that is removed afterwards; ends with 1 where one is not answered."""
    given = [int(one) for one in sys.argv[1:]]
    count, descriptors = [*given, *(1100, 1024)[len(given) :]]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        url, keys, _ = settled(folder)
        port = free_port()
        environ = environment(url, keys, folder) | {
            "KENTONGAN_SERVER__PORT": str(port),
            "KENTONGAN_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        with serving(folder, port, environ, descriptors=descriptors) as server:
            for kind, says in KINDS.items():
                measure(server, kind, says, count)


if __name__ == "__main__":
    main()
