"""uvicorn in this process, begun and ended by events instead of looks ten times a second.

``uvicorn.Server.serve`` asks every 0.1 s whether to end, then rests 0.1 s for connections
and tasks to go: a fifth of a second idle for each server. ``kentongan serve`` runs that in
tests/bot/commands/test_serve.py; here the same steps are taken without the rests.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from bot.telemetry.logs import UVICORN_OPTIONS
from tests.support.listening import accepted


def free_port() -> int:
    """Return a loopback port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Noticed(set[Any]):
    """A set that tells when it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self._left = asyncio.Event()

    @override
    def discard(self, element: Any, /) -> None:
        super().discard(element)
        self._left.set()

    async def empty(self) -> None:
        """Wait until nothing is left."""
        while self:
            self._left.clear()
            await self._left.wait()


@asynccontextmanager
async def served(app: ASGIApp, port: int = 0, **more: Any) -> AsyncIterator[str]:
    """Serve an application with its lifespan; its address, once it listens.

    ``more`` is what else uvicorn is told.
    """
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, **{**UVICORN_OPTIONS, **more})
    )
    connections, tasks = Noticed(), Noticed()
    server.server_state.connections, server.server_state.tasks = connections, tasks
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        for listening in server.servers:
            listening.close()
        await accepted()
        for connection in list(connections):
            connection.shutdown()
        await connections.empty()
        await tasks.empty()
        await server.lifespan.shutdown()
