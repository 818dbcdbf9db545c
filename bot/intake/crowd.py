"""How much the providers' doors take in at once: requests and bytes, both bounded.

Nothing is read before there is room for it, so that a slow store makes people wait and no
memory grow. There is room as long as the line can be written in ``SLOW`` seconds, by what a
message took of late: whoever is let in is answered when it is durable, and nobody is refused
who was. Telegram repeats what it is refused, so it hears 503 at once; Twilio does not, so its
requests wait at the door, unread, as long as Twilio itself would wait. Whether one of those is
Twilio's at all shows only when its body came, so all of them together hold at most half of the
room: strangers on the one door do not shut the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from bot.intake.bodies import MOST_BYTES
from bot.writer import DEPTH, Writer

Endpoint = Callable[[Request], Awaitable[Response]]
REQUESTS = 512
"""Requests of providers that are handled at once."""
BYTES = 64 << 20
"""What they may hold together: a body's announced length, or the most it may be."""
WAITING = 2048
"""Requests of Twilio's that may wait at the door."""
SLOW = 5.0
"""Seconds that the line may be long, and after which one who still waits says that it is."""
PATIENCE = 7.0
"""Seconds that Twilio's requests wait for room: with ``SLOW`` less than Twilio listens."""
_LOOK = 0.1
_AGAIN = {"Retry-After": "2"}


@dataclass(slots=True)
class Figures:
    """The most that there ever was at once, and how many were sent away."""

    requests: int = 0
    bytes: int = 0
    refused: int = 0


class Gate:
    """Stands before the doors; ``figures`` is what it saw."""

    def __init__(
        self,
        writer: Writer,
        *,
        refused: Callable[[], None] = lambda: None,
        requests: int = REQUESTS,
        most: int = BYTES,
    ) -> None:
        self._told = refused
        self._writer = writer
        self._requests = requests
        self._most = most
        self._inside: set[int] = set()
        self._shown: dict[int, float] = {}
        self._bytes = 0
        self._unproved = 0
        self._unproved_bytes = 0
        self._waiting = 0
        self.figures = Figures()

    def at_once(self, endpoint: Endpoint) -> Endpoint:
        """Guard a door whose provider comes again: it is refused when there is no room."""

        async def guarded(request: Request) -> Response:
            if self._is_slow() or not self._has_room(_size(request)):
                return self._refuse()
            self._shown[id(request)] = asyncio.get_running_loop().time()
            try:
                return await self._let_in(request, endpoint)
            finally:
                del self._shown[id(request)]

        return guarded

    def patiently(self, endpoint: Endpoint) -> Endpoint:
        """Guard a door whose provider does not: it waits, unread, for ``PATIENCE``."""

        async def guarded(request: Request) -> Response:
            size = _size(request)
            if not self._has_half(size) and not await self._wait(size):
                return self._refuse()
            self._unproved += 1
            self._unproved_bytes += size
            try:
                return await self._let_in(request, endpoint)
            finally:
                self._unproved -= 1
                self._unproved_bytes -= size

        return guarded

    def _has_half(self, size: int) -> bool:
        return (
            self._has_room(size)
            and self._unproved < max(1, self._requests // 2)
            and self._unproved_bytes + size <= max(size, self._most // 2)
        )

    def _has_room(self, size: int) -> bool:
        line = max(len(self._inside), self._writer.waiting)
        return (
            len(self._inside) < self._requests
            and self._bytes + size <= self._most
            and line < DEPTH // 2
            and self._writer.seconds_for(line) < SLOW
        )

    def _is_slow(self) -> bool:
        """Tell whether one that is refused at once hangs.

        Nobody gets that far without the secret; a stranger, whose signature is checked
        only when his body came, must not make us look slow.
        """
        now = asyncio.get_running_loop().time()
        return now - next(iter(self._shown.values()), now) > SLOW

    async def _wait(self, size: int) -> bool:
        if self._waiting >= WAITING:
            return False
        loop = asyncio.get_running_loop()
        ends = loop.time() + PATIENCE
        self._waiting += 1
        try:
            while loop.time() < ends:
                await asyncio.sleep(_LOOK)
                if self._has_half(size):
                    return True
        finally:
            self._waiting -= 1
        return False

    async def _let_in(self, request: Request, endpoint: Endpoint) -> Response:
        size, key = _size(request), id(request)
        self._inside.add(key)
        self._bytes += size
        figures = self.figures
        figures.requests = max(figures.requests, len(self._inside))
        figures.bytes = max(figures.bytes, self._bytes)
        try:
            return await endpoint(request)
        finally:
            self._inside.remove(key)
            self._bytes -= size

    def _refuse(self) -> Response:
        self.figures.refused += 1
        self._told()
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_AGAIN)


def _size(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return min(int(length), MOST_BYTES) if length.isdigit() else MOST_BYTES
