"""Who is slow on purpose stops nobody else: the real server, few descriptors, many strangers."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.doors import SECRET, environment
from tests.support.phones import PLAIN
from tests.support.process import Process, serving, settled
from tests.support.serving import free_port

pytestmark = pytest.mark.faults

DESCRIPTORS, STRANGERS = 256, 400
HEADER, BODY, IDLE = 2, 3, 2
SLACK = 10.0
"""Seconds that a machine with much other work may be late."""
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /console/sign-in HTTP/1.1\r\nHost: a\r\n"
HOOK = b"POST /webhooks/twilio/sms HTTP/1.1\r\nHost: a\r\n"
FORM = (
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\na"
)
PERSON = {"id": 5001, "first_name": "Sari"}
MESSAGE = {"message_id": 1, "date": 1_767_000_000, "text": "BANTUAN", "from": PERSON}
UPDATE = {"update_id": 1, "message": {**MESSAGE, "chat": {**PERSON, "type": "private"}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("slow")
    url, keys, _ = settled(folder)
    port = free_port()
    environ = environment(url, keys, folder) | {
        "KENTONGAN_SERVER__PORT": str(port),
        "KENTONGAN_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KENTONGAN_SERVER__HEADER_SECONDS": str(HEADER),
        "KENTONGAN_SERVER__BODY_SECONDS": str(BODY),
        "KENTONGAN_SERVER__IDLE_SECONDS": str(IDLE),
    }
    with serving(folder, port, environ, descriptors=DESCRIPTORS) as process:
        yield process


@pytest.fixture
def strangers(server):
    with contextlib.ExitStack() as stack:

        def come(count: int, says: bytes) -> list[socket.socket]:
            here = []
            for _ in range(count):
                one = stack.enter_context(knocking(server))
                with contextlib.suppress(ConnectionError):  # refused at once: as well
                    one.sendall(says)
                here.append(one)
            return here

        yield come


def knocking(server: Process) -> socket.socket:
    address = httpx.URL(server.url)
    return socket.create_connection((address.host, address.port), timeout=SLACK + BODY)


def ends(one: socket.socket, within: float) -> bytes:
    """Read until the server ends it; fails when it does not in time."""
    said, end = b"", time.monotonic() + within + SLACK
    try:
        while part := one.recv(65536):
            said += part
            assert time.monotonic() < end, "still there"
    except ConnectionError:
        pass
    return said


@pytest.mark.parametrize(
    "says",
    [b"", b"GET", GET + b"X: ", POST + FORM, HOOK + FORM],
    ids=["silent", "half a line", "half a head", "half a form", "half a webhook"],
)
def test_strangers_who_hold_still_stop_nobody(server, strangers, says):
    here = strangers(STRANGERS, says)
    with httpx.Client(base_url=server.url, trust_env=False, verify=PLAIN) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/console/sign-in").status_code == 200
        secret = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        told = client.post(
            "/webhooks/telegram", content=json.dumps(UPDATE), headers=secret
        )
        assert told.status_code == 200
    begun = time.monotonic()
    for one in here:
        ends(one, BODY)
    assert time.monotonic() - begun < BODY + SLACK


@pytest.mark.parametrize(
    ("says", "more", "every"),
    [
        (GET, b"X: y\r\n", HEADER / 4),
        (b"", b"\r\n", HEADER / 4),
        (POST + FORM, b"a", BODY / 4),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", BODY / 4),
        (HOOK + FORM, b"a", BODY / 4),
        (GET + b"Content-Length: 999\r\n\r\n", b"a", BODY / 4),
    ],
    ids=["head", "empty lines", "form", "chunks", "webhook", "after the answer"],
)
def test_a_drop_now_and_then_is_no_more_time(server, says, more, every):
    with knocking(server) as one:
        one.sendall(says)
        one.settimeout(every)
        end = time.monotonic() + BODY + SLACK
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                try:
                    if not one.recv(65536):
                        return
                except ConnectionError:
                    return
                continue
            with contextlib.suppress(ConnectionError):
                one.sendall(more)
    raise AssertionError("it is still listened to")


def test_a_connection_without_a_request_is_closed(server):
    with knocking(server) as one:
        one.sendall(GET + b"\r\n")
        begun = time.monotonic()
        assert ends(one, IDLE).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begun < IDLE + SLACK


@pytest.mark.parametrize(
    "says",
    [
        GET + b"X: " + b"a" * (40 << 10) + b"\r\n\r\n",
        GET + b"X: a\r\n" * (8 << 10) + b"\r\n",
        b"GET /" + b"a" * (40 << 10) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        GET + b"X: " + b"a" * (1 << 20),
    ],
    ids=["one", "many", "a line", "without end"],
)
def test_a_head_of_more_than_32_kib_is_refused(server, says):
    with knocking(server) as one:
        with contextlib.suppress(ConnectionError):
            one.sendall(says)
        # Whoever still sends when we close may hear of the broken connection instead.
        assert ends(one, HEADER).startswith(b"HTTP/1.1 431") or len(says) > 1 << 20


def test_a_head_without_end_is_not_taken(server):
    """300 MiB were, once."""
    sent = 0
    with knocking(server) as one, contextlib.suppress(ConnectionError):
        one.sendall(GET + b"X: ")
        while sent < 300 << 20:
            one.sendall(b"a" * (1 << 16))
            sent += 1 << 16
    assert sent < 32 << 20, "more than sockets hold"


@pytest.mark.parametrize(
    "more",
    [b"1;" + b"a" * 1000, b"0\r\n" + b"X: a\r\n" * 200],
    ids=["chunks without a body", "trailers"],
)
def test_what_stands_around_a_body_has_an_end(server, more):
    with knocking(server) as one:
        one.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + more)
        sent, begun = 0, time.monotonic()
        rest = b"a" * 4096 if b";" in more else b"X: a\r\n" * 500
        with contextlib.suppress(ConnectionError):
            while sent < 64 << 20:
                one.sendall(rest)
                sent += len(rest)
        assert sent < 32 << 20
        assert time.monotonic() - begun < BODY + SLACK


def test_requests_do_not_pile_up_behind_one_another(server):
    with knocking(server) as one:
        with contextlib.suppress(ConnectionError):
            one.sendall((GET + b"\r\n") * 20_000)
        assert ends(one, BODY).count(b"HTTP/1.1 200") < 20_000
