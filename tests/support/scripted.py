"""A small provider on loopback: answers as it is told and remembers what it was asked."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

from tests.support.listening import listening


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass
class Answer:
    """What to say; ``lost`` closes the connection instead, ``cut`` after the answer."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    cut: bool = False


class Provider:
    """``answers`` are given in turn, the last one again and again."""

    def __init__(self) -> None:
        self.answers = [Answer()]
        self.asked: list[Asked] = []
        self.url = ""
        self._news = asyncio.Event()

    async def asks(self, ending, times):
        """Wait for so many requests to a path with this ending; return the first ones."""
        while True:
            self._news.clear()
            found = [one for one in self.asked if one.path.endswith(ending)]
            if len(found) >= times:
                return found[:times]
            await self._news.wait()

    async def _serve(self, reader, writer):
        try:
            while True:
                self.asked.append(await self._read(reader))
                self._news.set()
                last = len(self.answers) == 1
                answer = self.answers[0] if last else self.answers.pop(0)
                if answer.lost:
                    return
                writer.write(self._bytes(answer))
                await writer.drain()
                if answer.cut:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _read(self, reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        return Asked(method, path, headers, form)

    def _bytes(self, answer):
        body = answer.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"content-length": len(body), "content-type": "application/json"}
        lines = "".join(f"{k}: {v}\r\n" for k, v in (headers | answer.headers).items())
        phrase = HTTPStatus(answer.status).phrase
        return f"HTTP/1.1 {answer.status} {phrase}\r\n{lines}\r\n".encode() + body


@asynccontextmanager
async def provider():
    """Yield a provider that listens."""
    made = Provider()
    async with listening(made._serve) as port:  # noqa: SLF001 - its own
        made.url = f"http://127.0.0.1:{port}"
        yield made
