"""Requests as they come over the wire, and the ways in which an answer can fail to."""

import asyncio
import functools
import json
import socket
import ssl
import struct
from email.message import Message
from email.parser import HeaderParser
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.simulator.rules.faults import Fault
from bot.simulator.world import StoredFile

ABORT = "simulator.abort"
BODY_LIMIT = 80 * 2**20
"""Bytes a request may have: a test of large files must fit in base64."""


LONGEST_WAIT = 60.0


class TooLarge(Exception):
    """The body has more bytes than the simulator reads."""


class NotReadable(Exception):
    """The body is not what its Content-Type says."""


def patience(request: Request, usual: float = 5.0) -> float:
    """Return for how many seconds a caller waits for what it asks about."""
    return min(float(request.query_params.get("timeout", usual)), LONGEST_WAIT)


class BreakableProtocol(H11Protocol):
    """HTTP/1.1 whose connection an endpoint may cut: see ``hang_up``."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            scope[ABORT] = transport
            await inner(scope, receive, send)

        self.app = app


class Json(Response):
    """JSON in plain ASCII, as Telegram writes it: any string survives."""

    media_type = "application/json"

    @override
    def render(self, content: object) -> bytes:
        return dumps(content)


class HangUp(Response):
    """An answer that never comes: the connection is closed (or reset) instead."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope[ABORT]
        if self.reset:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        transport.abort()
        await disconnected(receive)


def dumps(content: object) -> bytes:
    """Write JSON in ASCII: lone surrogates stay what they are."""
    return json.dumps(content, separators=(",", ":")).encode()


@functools.cache
def _trust() -> ssl.SSLContext:
    """Load the certificates once: it takes longer than a webhook."""
    return ssl.create_default_context()


def client(timeout: httpx.Timeout | float) -> httpx.AsyncClient:
    """Give a client for webhooks: fresh connections, no proxy of the environment."""
    return httpx.AsyncClient(timeout=timeout, trust_env=False, verify=_trust())


async def happen(fault: Fault, request: Request) -> Response | None:
    """Let a fault of the wire happen; give the answer if that ends the call."""
    if fault.fault == "timeout":
        await disconnected(request.receive)
        return HangUp()
    if fault.fault == "reset":
        return HangUp(reset=True)
    if fault.fault == "delay":
        await asyncio.sleep(fault.seconds)
    return None


async def disconnected(receive: Receive) -> None:
    """Return when the other side has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def body(request: Request) -> bytes:
    """Give the whole body, at most ``BODY_LIMIT`` bytes."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > BODY_LIMIT:
                raise TooLarge
            parts.append(part)
    except ClientDisconnect:  # whoever asked was killed in the middle
        raise NotReadable from None
    return b"".join(parts)


async def form(request: Request) -> list[tuple[str, str]]:
    """Give the pairs of a form body, blanks kept."""
    text = (await body(request)).decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True)


async def document(request: Request) -> dict[str, Any]:
    """Give a JSON object; an empty body is an empty object."""
    raw = await body(request)
    try:
        found = json.loads(raw) if raw else {}
    except ValueError:
        raise NotReadable from None
    if not isinstance(found, dict):
        raise NotReadable
    return found


async def parameters(request: Request) -> tuple[dict[str, Any], dict[str, StoredFile]]:
    """Parameters and files of a Bot API call: query, JSON, form or multipart."""
    params: dict[str, Any] = dict(request.query_params)
    if request.method != "POST":
        return params, {}
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return params | await document(request), {}
    if kind.startswith("multipart/form-data"):
        fields, files = multipart(kind, await body(request))
        return params | fields, files
    return params | dict(await form(request)), {}


def multipart(kind: str, raw: bytes) -> tuple[dict[str, str], dict[str, StoredFile]]:
    """Read fields and files of a multipart body, by name; a nameless file is left out."""
    head = Message()
    head["content-type"] = kind
    boundary = head.get_boundary()
    if not boundary:
        raise NotReadable
    fields: dict[str, str] = {}
    files: dict[str, StoredFile] = {}
    for part in (b"\r\n" + raw).split(b"\r\n--" + boundary.encode())[1:-1]:
        header, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        about = HeaderParser().parsestr(header.decode("utf-8", "replace"))
        name = str(about.get_param("name", "", header="content-disposition"))
        filename = about.get_param("filename", header="content-disposition")
        if filename is None:
            fields[name] = content.decode("utf-8", "replace")
        elif filename:
            key = name if name not in files else f"{name}#{len(files)}"
            files[key] = StoredFile(str(filename), about.get_content_type(), content)
    return fields, files
