"""A small HTTP server in the bot's place: hears webhooks, answers by a script."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Heard:
    """One webhook that reached the bot."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Listener:
    """A small HTTP server in the bot's place; ``script`` decides the next answers."""

    heard: list[Heard] = field(default_factory=list)
    script: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    held: Callable[[Heard], bool] = lambda _: False
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def hear(self, count: int) -> list[Heard]:
        """Wait until so many webhooks came."""
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self.bell.clear()
                await self.bell.wait()
        return self.heard

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {
                    name.lower(): value
                    for name, _, value in (x.partition(": ") for x in lines[1:])
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                heard = Heard(lines[0].split()[1], headers, body)
                self.heard.append(heard)
                self.bell.set()
                if self.held(heard):
                    await self.gate.wait()
                answer = self.script.pop(0) if self.script else status(204)
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def status(code: int, *headers: str) -> bytes:
    """An HTTP answer without a body."""
    lines = "".join(f"{header}\r\n" for header in ("Content-Length: 0", *headers))
    return f"HTTP/1.1 {code} X\r\n{lines}\r\n".encode()
