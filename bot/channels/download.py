"""A file on its way from a provider to us: bounded, and from the provider only."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from bot.channels import base

HOPS = 4
_AS_IT_IS = {"Accept-Encoding": "identity"}
"""Nothing is packed on its way, so no few bytes can become many in memory."""
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class Source:
    """Where files of one provider may come from.

    ``addresses`` are base URLs: our credentials (``login``) go there and nowhere else.
    ``hosts`` are further hosts, with all below them, that a redirect may lead to, over
    https and only at public addresses. ``limit`` is in bytes.
    """

    client: httpx.AsyncClient
    addresses: Sequence[str]
    limit: int
    hosts: Sequence[str] = ()
    login: tuple[str, str] | None = None

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[base.Download]:
        """Open a file; raise ``Later`` or ``Never`` then and while reading."""
        async with AsyncExitStack() as stack:
            with _told_apart():
                answer = await self._follow(stack, httpx.URL(url))
            self._check(answer)
            kind = answer.headers.get("content-type", "").partition(";")[0]
            yield base.Download(kind.strip().lower(), self._chunks(answer))

    async def _follow(self, stack: AsyncExitStack, url: httpx.URL) -> httpx.Response:
        for hop in range(HOPS):
            auth = await self._admit(url, first=hop == 0)
            asked = self.client.stream(
                "GET", url, auth=auth, follow_redirects=False, headers=_AS_IT_IS
            )
            answer = await stack.enter_async_context(asked)
            if not answer.is_redirect:
                return answer
            url = url.join(answer.headers["location"])
        raise base.Never("file.redirects")

    async def _admit(self, url: httpx.URL, *, first: bool) -> httpx.BasicAuth | None:
        if any(_origin(url) == _origin(httpx.URL(own)) for own in self.addresses):
            return httpx.BasicAuth(*self.login) if first and self.login else None
        named = any(
            url.host == host or url.host.endswith(f".{host}") for host in self.hosts
        )
        plain = url.scheme == "https" and url.port is None
        if not (named and plain and await _is_public(url)):
            raise base.Never("file.address")
        return None

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code in GONE:
            raise base.Never(f"file.{answer.status_code}")
        if answer.status_code != HTTPStatus.OK:
            raise base.Later(
                f"file.{answer.status_code}", base.retry_after(answer.headers)
            )
        length = answer.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.limit:
            raise base.Never("file.size")

    async def _chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        seen = 0
        chunks = answer.aiter_bytes()
        while True:
            with _told_apart():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            seen += len(chunk)
            if seen > self.limit:
                raise base.Never("file.size")
            yield chunk


@contextmanager
def _told_apart() -> Iterator[None]:
    """Turn the transport's failures into ours; the reader's own pass untouched."""
    try:
        yield
    except (httpx.InvalidURL, OverflowError, UnicodeError):
        raise base.Never("file.address") from None
    except (httpx.HTTPError, OSError):
        raise base.Away("file.lost") from None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _is_public(url: httpx.URL) -> bool:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.host, 443, type=socket.SOCK_STREAM)
    return all(ipaddress.ip_address(entry[4][0]).is_global for entry in found)
