"""What a connection may cost: how long we wait for its bytes, how many may be there at once.

uvicorn waits for ever for a head, a body and for somebody who does not read, and takes as many
connections and as long a head as come. Here each wait has an end, a head has a size, and the
places are fewer than the descriptors of the process. When all are taken, whoever has kept us
waiting longest goes: a request that comes at once is served while strangers hold still.
"""

import asyncio
import ipaddress
import resource
from collections import Counter
from enum import Enum
from http import HTTPStatus
from typing import Any, ClassVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.settings.sections import Server
from bot.settings.values import is_loopback

MOST_HEAD = 32 << 10
"""Bytes of a request's first line and headers. Browsers and providers send less than 8 KiB."""
MOST_PLACES = 2000
"""Connections at once, however many descriptors there are: each may hold 100 KiB."""
RESERVE = 256
"""Descriptors that are not for connections: the store, files, providers, sandboxes."""
BACKLOG = 64
"""Connections that the kernel holds for us: they are accepted all at once, before any is
counted, so they must fit into the reserve."""
SLOWEST = 8 << 10
"""Bytes a second that give a large body more time than a small one."""
SLOWEST_READER = 1 << 10
"""Bytes a second that somebody takes of an answer, or the connection ends."""
MOST_WAITING = 16
"""Requests that may wait behind another one on their connection; nobody we know sends any."""
_FRAMING = 8
"""Bytes on the wire for each byte of a body, in the smallest chunks that there are."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
_MARKS = 4  # of a header: colon, blank, and the end of its line
_NETWORK = 64  # of IPv6: who has one address has all of these


class Turn(Enum):
    """Whose turn it is on a connection, and for what."""

    HEAD = "they send a head"
    BODY = "they send a body"
    ANSWER = "we answer"
    IDLE = "they may ask again"


class Places:
    """Who is connected, and who of them keeps us waiting, the longest first."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken: dict[Connection, str] = {}
        self._of: Counter[str] = Counter()
        self._owing: dict[Connection, None] = {}

    def take(self, connection: "Connection", peer: str) -> bool:
        """Give a connection a place if there is one, or is when another one goes."""
        whose = neighbourhood(peer)
        if whose and self._of[whose] >= self._most_of_one:
            return False
        if len(self._taken) >= self._most and not self._make_room():
            return False
        self._taken[connection] = whose
        self._of[whose] += 1
        return True

    def give_back(self, connection: "Connection") -> None:
        """Take a connection off the list, if it stands there."""
        self._owing.pop(connection, None)
        whose = self._taken.pop(connection, None)
        if whose is not None:
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]

    def waits(self, connection: "Connection") -> None:
        """Note that from now on we wait for the other side."""
        self._owing.pop(connection, None)
        if connection in self._taken:
            self._owing[connection] = None

    def works(self, connection: "Connection") -> None:
        """Note that from now on the other side waits for us."""
        self._owing.pop(connection, None)

    def _make_room(self) -> bool:
        longest = next(iter(self._owing), None)
        if longest is None:
            return False
        self.give_back(longest)
        longest.transport.abort()
        return True


class Connection(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to every wait."""

    terms: ClassVar[Server]
    places: ClassVar[Places]

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - passed on as it is
        super().__init__(*given, **named)
        self._turn = Turn.HEAD
        self._first = True
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._raw = 0
        self._body = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        peer = transport.get_extra_info("peername")
        if not self.places.take(self, peer[0] if isinstance(peer, tuple) else ""):
            self.transport = transport
            transport.write(_FULL)
            transport.close()
            return
        super().connection_made(transport)
        # So that "paused" means: something we wrote was not taken yet.
        transport.set_write_buffer_limits(high=0)
        self._begin(Turn.HEAD)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.places.give_back(self)
        _cancel(self._late)
        _cancel(self._stalled)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._turn is Turn.IDLE:
            self._begin(Turn.HEAD)
        self._raw += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._turn is Turn.HEAD and self._raw > MOST_HEAD:
            if self._first or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._turn is Turn.BODY and self._raw > MOST_HEAD + _FRAMING * self._body:
            self.transport.abort()  # chunks without end around nothing, or endless trailers
        elif len(self.pipeline) > MOST_WAITING:
            self.transport.abort()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._turn is not Turn.HEAD:
            self._begin(Turn.HEAD)

    @override
    def on_headers_complete(self) -> None:
        self._begin(Turn.BODY)
        self._first = False
        size = len(self.url) + sum(len(n) + len(v) + _MARKS for n, v in self.headers)
        usual = self.app
        if size > MOST_HEAD:
            self.app = _too_large
        try:
            super().on_headers_complete()
        finally:
            self.app = usual

    @override
    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._begin(Turn.IDLE if self.cycle.response_complete else Turn.ANSWER)

    @override
    def on_response_complete(self) -> None:
        waiting = bool(self.pipeline)
        super().on_response_complete()
        if self._turn is Turn.ANSWER and not waiting:
            self._begin(Turn.IDLE)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self.places.waits(self)
        if self._stalled is None:
            self._watch_reader()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._stalled)
        self._stalled = None
        if self._turn is Turn.ANSWER:
            self.places.works(self)

    def _begin(self, turn: Turn) -> None:
        self._turn = turn
        self._raw = self._body = 0
        _cancel(self._late)
        if turn is Turn.ANSWER:
            self.places.works(self)
            return
        self.places.waits(self)
        seconds = {
            Turn.HEAD: self.terms.header_seconds,
            Turn.BODY: self.terms.body_seconds,
            Turn.IDLE: self.terms.idle_seconds,
        }[turn]
        self._late = self.loop.call_later(seconds, self._end, 0.0)

    def _end(self, granted: float) -> None:
        """End the wait, unless it is for a body that is large and has come steadily."""
        more = self._body / SLOWEST - granted
        if self._turn is Turn.IDLE:
            self.transport.close()  # what they have not read yet still goes out
        elif self._turn is Turn.BODY and more >= 1 and not self.cycle.response_complete:
            self._late = self.loop.call_later(more, self._end, granted + more)
        else:
            self.transport.abort()

    def _watch_reader(self, before: int = 0) -> None:
        """Look again and again whether they still take what we wrote."""
        left = self.transport.get_write_buffer_size()
        seconds = self.terms.body_seconds
        if before and before - left < seconds * SLOWEST_READER:
            self.transport.abort()
            return
        self._stalled = self.loop.call_later(seconds, self._watch_reader, left)


def bounded(terms: Server) -> type[Connection]:
    """Return the protocol of a server that keeps these terms."""
    most = terms.connections or places_for(
        resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    )

    class Bounded(Connection):
        pass

    Bounded.terms = terms
    Bounded.places = Places(most, terms.connections_per_address)
    return Bounded


def places_for(descriptors: int) -> int:
    """Return how many connections so many descriptors allow; the rest is for our own work."""
    if descriptors == resource.RLIM_INFINITY:
        return MOST_PLACES
    return min(MOST_PLACES, max(descriptors - RESERVE, descriptors // 4))


def neighbourhood(peer: str) -> str:
    """Return what one person may be taken to hold; empty for this machine's proxy or Tor."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return ""  # a socket of this machine that has a path
    if is_loopback(str(address)):
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _NETWORK), strict=False))


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    await Response(status_code=status, headers={"connection": "close"})(
        scope, receive, send
    )


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
