"""The interface of a channel: parse, send, fetch, limits as data.

An error of sending says itself what to do next. Its text is its own docstring and a
short code, never anything that a person or a provider wrote.
"""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Container, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from bot.channels.limits import Limits
from handlers.messages import Incoming
from storage import words
from storage.letters.letter import Letter

Raw_contra = TypeVar("Raw_contra", contravariant=True)


#: The longest handle or provider id; a business-scoped id has up to 131 characters.
WIDEST_HANDLE = 200


class Unparseable(Exception):
    """The provider's message has an unknown shape; put it into quarantine."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"{self.__doc__} [{code}]")


class SendError(Exception):
    """The provider did not take the message."""

    def __init__(self, code: str) -> None:
        self.code = code
        summary = (self.__doc__ or "").partition("\n")[0]
        super().__init__(f"{summary} [{code}]")


class Later(SendError):
    """The provider cannot take the message now; send it again later.

    ``after`` is the provider's own wish in seconds, None when it told none.
    """

    def __init__(self, code: str, after: float | None = None) -> None:
        self.after = after
        super().__init__(code)


class Away(Later):
    """The provider cannot be reached, or fails without having taken the message."""


class Busy(Later):
    """The provider wants us to slow down; it did not take the message.

    ``wide``: it says so to the whole channel, not only to this chat.
    """

    def __init__(
        self, code: str, after: float | None = None, *, wide: bool = True
    ) -> None:
        self.wide = wide
        super().__init__(code, after)


class Doubtful(Later):
    """The answer was lost; the message may have gone out. Ask, then send again."""


class Never(SendError):
    """The provider will never take this message; give it up."""


class Unreachable(Never):
    """The person cannot be reached on this channel; stop writing to them."""


class WindowClosed(Never):
    """Free text is not allowed any more and no template is set; configure one."""


class TemplateRefused(WindowClosed):
    """The provider will not send the template; look at it in the provider's console."""


class Misconfigured(Later):
    """The provider refuses our account; check tokens, numbers and permissions."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message.

    ``provider_id`` is the provider's name for it, empty where it gives none. ``final`` is
    False when status callbacks will still tell what became of it.
    """

    provider_id: str
    final: bool


class Download(NamedTuple):
    """An open file: its type as the provider tells it, and its bytes in pieces."""

    content_type: str
    chunks: AsyncIterator[bytes]


class Sender(Protocol):
    """The way out of one channel."""

    @property
    def name(self) -> words.Channel:
        """Which channel it is."""
        ...

    @property
    def limits(self) -> Limits:
        """What the provider allows."""
        ...

    async def send(self, letter: Letter) -> Sent:
        """Send one letter once; raise a ``SendError`` that carries its own policy."""
        ...

    async def find(
        self, letter: Letter, since: datetime, others: Container[str] = ()
    ) -> Sent | None:
        """Return the letter if the provider took it since then; None if unknown.

        ``others`` are ids of messages that are known to be other letters.
        """
        ...

    def fetch(self, reference: str) -> AbstractAsyncContextManager[Download]:
        """Open the file that a ``Media.reference`` names; raise a ``SendError``."""
        ...

    async def erase(self, provider_id: str) -> None:
        """Erase the provider's copy of a message; gone already is good too."""
        ...

    async def start(self) -> None:
        """Begin background work; return at once even when the provider is down."""
        ...

    async def stop(self) -> None:
        """Close connections."""
        ...


class Channel(Sender, Protocol[Raw_contra]):
    """One provider: the way in and the way out."""

    def parse(self, raw: Raw_contra, *, now: datetime) -> tuple[Incoming, ...]:
        """Return what a provider's message says; raise ``Unparseable``.

        An empty tuple is a message that needs no answer.
        """
        ...


def clean(text: str) -> str:
    """Replace lone surrogates, which no provider and no cipher takes, by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def checked_address(url: str) -> str:
    """Return a provider's base address without its last slash; raise ``ValueError``."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and is_loopback(url)
    if parts.hostname and (parts.scheme == "https" or local):
        return url.rstrip("/")
    raise ValueError("A provider's address must begin with https:// or be loopback.")


def is_loopback(url: str) -> bool:
    """Tell whether an address stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def tls(*, trust_env: bool) -> ssl.SSLContext:
    """Return what a provider's certificate is held against; reading it takes a while.

    ``trust_env``: certificates that the environment names count too.
    """
    return httpx.create_ssl_context(trust_env=trust_env)


#: Failures that happen before a request leaves this machine.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@contextmanager
def told_apart(provider: str) -> Iterator[None]:
    """Turn a transport's failure into ``Away`` (never sent) or ``Doubtful``."""
    try:
        yield
    except UNSENT:
        raise Away(f"{provider}.connect") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        raise Doubtful(f"{provider}.lost") from None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header; None if absent or a date."""
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isascii() and value.isdigit() else None
