"""Servers of tests on loopback that leave nothing open behind them.

A socket that is left to the garbage collector is blamed on whatever test runs then.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TURNS_OF_ACCEPTING = 4
"""Turns of asyncio's loop from a socket that was accepted to the first step of its task."""


async def accepted() -> None:
    """Wait until whatever was accepted before is known to its server."""
    for _ in range(TURNS_OF_ACCEPTING):
        await asyncio.sleep(0)


@asynccontextmanager
async def listening(serve: Serve, port: int = 0) -> AsyncIterator[int]:
    """Let ``serve`` answer on a port of loopback; yield the port."""
    calls: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        calls.append((task, writer))
        with suppress(ConnectionError, asyncio.CancelledError):
            await serve(reader, writer)

    server = await asyncio.start_server(kept, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await accepted()
        for task, writer in calls:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in calls), return_exceptions=True)
        for _, writer in calls:
            with suppress(ConnectionError):
                await writer.wait_closed()
