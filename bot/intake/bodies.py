"""The bodies that providers post: bounded, and read to their end where it is worth it."""

import asyncio

from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 1 << 20
"""No message of a provider has more."""
HEAD_BYTES = 4096
"""What is kept of a body that has: enough to see what it was."""
_MOST_DRAINED = 32 << 20
ARRIVES = 5.0
"""Seconds in which a body must come of which nobody knows yet whose it is."""
DRAINED = 30.0
"""Seconds for the body of somebody who has shown a secret."""


class BodyTooLarge(Exception):
    """The body has more than 1 MiB; no message of a provider has."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        super().__init__(self.__doc__)


class BodyCut(Exception):
    """The other side hung up before the body was whole, or sent it too slowly."""


async def read(request: Request, *, drain: bool = False) -> bytes:
    """Return the body. Raises BodyTooLarge, which holds its head, or BodyCut.

    With ``drain`` a body that is too large is read to its end (32 MiB at most) and
    thrown away: who is answered in the middle of it sees a broken connection, and comes
    again. Only for somebody who has shown a secret; whoever has not must be quick.
    """
    body, size = bytearray(), 0
    length = request.headers.get("content-length", "")
    if not drain and length.isdigit() and int(length) > MOST_BYTES:
        raise BodyTooLarge(b"")
    try:
        async with asyncio.timeout(DRAINED if drain else ARRIVES):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MOST_BYTES:
                    body += chunk
                else:
                    body = body[:HEAD_BYTES] or bytearray(chunk[:HEAD_BYTES])
                    if not drain or size > _MOST_DRAINED:
                        break
    except (ClientDisconnect, TimeoutError):
        raise BodyCut from None
    if size > MOST_BYTES:
        raise BodyTooLarge(bytes(body[:HEAD_BYTES]))
    return bytes(body)
