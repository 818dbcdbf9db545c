"""The whole simulator behind one address: providers' APIs, control, page."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from bot.simulator.acts import Acts
from bot.simulator.clock import Clock
from bot.simulator.control import Control
from bot.simulator.page.page import Page
from bot.simulator.rules.authenticator import Authenticator
from bot.simulator.telegram.api import Telegram
from bot.simulator.twilio.api import Twilio
from bot.simulator.weather import Weather
from bot.simulator.wire import BreakableProtocol, HangUp
from bot.simulator.world import Settings, World

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PARENT_CHECK = 0.5
CONTROL = "/control/"


def application(world: World) -> Starlette:
    """Give the ASGI application over a world."""
    telegram, twilio = Telegram(world), Twilio(world)
    acts = Acts(world, telegram, twilio)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await telegram.pusher.stop()
        await twilio.carrier.stop()

    return Starlette(
        routes=[
            *Page(world, acts).routes(),
            *Control(world, acts).routes(),
            *Weather(world, telegram, twilio).routes(),
            *telegram.routes(),
            *twilio.routes(),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"]),
            Middleware(Dated, world=world),
            Middleware(Abandoned, world=world),
        ],
        lifespan=lifespan,
    )


class Dated:
    """Tells the world's own time with every answer, as a provider's clock does."""

    def __init__(self, app: ASGIApp, *, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the Date header."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = formatdate(self.world.clock.now(), usegmt=True)
                message["headers"].append((b"date", now.encode()))
            await send(message)

        await self.app(scope, receive, dated)


class Abandoned:
    """Hangs up on what the bot asked for before the world started again."""

    def __init__(self, app: ASGIApp, *, world: World) -> None:
        self.app = app
        self._tasks: set[asyncio.Task[Any]] = set()
        world.on_restart.append(self._end)

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a request that is abandoned ends without an answer."""
        task = asyncio.current_task()
        if task is None or scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
            return
        self._tasks.add(task)
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            await HangUp()(scope, receive, send)
        finally:
            self._tasks.discard(task)


class Server(uvicorn.Server):
    """uvicorn that says when it listens and lets waiting requests go at the end."""

    def __init__(
        self, config: uvicorn.Config, world: World, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.world = world
        self.ready = ready

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End with exit code 0 on SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        """Begin to end."""
        self.should_exit = True

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.world.close()
        await super().shutdown(sockets)


async def _watch_parent(server: Server) -> None:
    """End the server when the process that started it is gone."""
    parent = os.getppid()
    while not server.should_exit:
        await asyncio.sleep(PARENT_CHECK)
        if os.getppid() != parent:
            server.stop()


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    scale: float = 1.0,
    with_parent: bool = False,
    authenticator: Path | None = None,
    ready: Callable[[str, int], None],
) -> None:
    """Serve until SIGTERM; ``ready`` gets the address and the port once it listens.

    ``authenticator`` names a file with officers' second factors.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, else asyncio leaves Nagle on and every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    settings.base_url = f"http://{shown}:{port}"

    async def main() -> None:
        world = World(settings, Clock(scale), Authenticator(authenticator))
        config: dict[str, Any] = {
            "http": BreakableProtocol,
            "ws": "none",
            "log_level": "warning",
            "access_log": False,
            "date_header": False,
            "timeout_graceful_shutdown": 2,
        }
        server = Server(
            uvicorn.Config(application(world), **config),
            world,
            lambda: ready(settings.base_url, port),
        )
        watch = asyncio.create_task(_watch_parent(server)) if with_parent else None
        await server.serve(sockets=[listener])
        if watch is not None:
            watch.cancel()

    asyncio.run(main())
