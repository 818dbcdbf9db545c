"""The canary's channel adapter: parsed like any other, without a provider behind it.

What would be sent is kept in memory for the canary that listens
(``bot/watch/canary.py``): it costs nothing and nobody is written to. While none listens
here, another process may have one, so a letter waits a moment.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, Final

from bot.channels import base, limits
from handlers.messages import Incoming, Kind
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind

_ELSEWHERE: Final = 0.5
_WIDEST: Final = 4096


class Canary:
    """The canary adapter; ``heard`` is where its letters go while it listens."""

    name: ClassVar = Channel.CANARY
    limits: ClassVar = limits.CANARY

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Letter] | None = None

    def parse(self, raw: bytes, *, now: datetime) -> tuple[Incoming, ...]:
        """Read one message of ours; see ``base.Channel``."""
        try:
            told: Any = json.loads(raw)
            number, handle, identity = told["number"], told["handle"], told["id"]
            text, press = told.get("text", ""), told.get("press", "")
        except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
            raise base.Unparseable("canary.json") from None
        words = (handle, identity, text, press)
        named = type(number) is int and handle and identity
        if not (named and all(_is_short(word) for word in words)):
            raise base.Unparseable("canary.shape")
        return (
            Incoming(
                channel=Channel.CANARY,
                handle=handle,
                provider_id=identity,
                received=now,
                kind=Kind.PRESS if press else Kind.TEXT,
                text=base.clean(text),
                press=base.clean(press),
                press_id=identity if press else "",
                order=number + 1,
                message_id=number + 1,
            ),
        )

    async def send(self, letter: Letter) -> base.Sent:
        """Keep a letter for the canary; see ``base.Sender``."""
        if self.heard is None:
            raise base.Later("canary.elsewhere", _ELSEWHERE)
        if letter.kind is not LetterKind.ACK:
            self.heard.put_nowait(letter)
        return base.Sent("", final=True)

    async def find(
        self,
        letter: Letter,  # noqa: ARG002 - nothing is ever in doubt here
        since: datetime,  # noqa: ARG002
        others: Container[str] = (),  # noqa: ARG002
    ) -> base.Sent | None:
        """Return None: nothing leaves this process; see ``base.Sender``."""
        return None

    @asynccontextmanager
    async def fetch(self, reference: str) -> AsyncIterator[base.Download]:  # noqa: ARG002 - the canary sends no files
        """Refuse: the canary sends no files; see ``base.Sender``."""
        raise base.Never("canary.file")
        yield  # type: ignore[unreachable]  # makes it a generator

    async def erase(self, provider_id: str) -> None:
        """Do nothing: there is no provider; see ``base.Sender``."""

    async def start(self) -> None:
        """Do nothing: there is no connection."""

    async def stop(self) -> None:
        """Do nothing: there is no connection."""


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _WIDEST
