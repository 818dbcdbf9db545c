"""Storm and books over HTTP: bad weather on demand, and an exact record of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator import wire
from bot.simulator.rules.faults import NAMED
from bot.simulator.rules.storm import SILENCE
from bot.simulator.telegram.api import Telegram
from bot.simulator.twilio.api import Twilio
from bot.simulator.world import World

DELAY = 1.0
MOST = 2000
"""Entries in one answer."""

Work = Callable[[Request], Awaitable[dict[str, Any]]]


class Weather:
    """Endpoints ``/control/storm`` and ``/control/books``."""

    def __init__(self, world: World, telegram: Telegram, twilio: Twilio) -> None:
        self.world = world
        self.telegram = telegram
        self.twilio = twilio

    def routes(self) -> list[Route]:
        """Where it listens."""
        table: list[tuple[str, str, Work]] = [
            ("POST", "/control/storm", self.begin),
            ("DELETE", "/control/storm", self.end),
            ("GET", "/control/books", self.books),
        ]
        return [
            Route(path, self._json(work), methods=[method])
            for method, path, work in table
        ]

    def _json(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return wire.Json(await work(request))
            except (KeyError, TypeError, ValueError, wire.NotReadable) as error:
                return wire.Json({"error": f"wrong or missing field: {error}"}, 400)

        return endpoint

    async def begin(self, request: Request) -> dict[str, Any]:
        """Begin a storm: ``seed``, ``rates`` (see ``storm.Storm``), ``longest_delay``."""
        given = await wire.document(request)
        for chances in given["rates"].values():
            for fault in chances:
                if fault not in NAMED | {SILENCE} and not str(fault).isdigit():
                    raise ValueError(fault)
        delay = float(given.get("longest_delay", DELAY))
        self.world.faults.storm.begin(str(given["seed"]), given["rates"], delay)
        return {"rates": self.world.faults.storm.rates}

    async def end(self, _: Request) -> dict[str, Any]:
        """End the storm; tell what fell."""
        self.world.faults.storm.end()
        return {"fallen": dict(self.world.faults.storm.fallen)}

    async def books(self, request: Request) -> dict[str, Any]:
        """Give what was written after entry ``after``, and how much is on its way in.

        Waits at most ``timeout`` seconds for the first entry.
        """
        after = int(request.query_params.get("after", 0))
        timeout = wire.patience(request, 0)
        entries = self.world.books.entries
        await self.world.until(lambda: len(entries) > after, timeout)
        return {
            "entries": entries[after : after + MOST],
            "waiting": {
                "telegram": len(self.telegram.updates.waiting()),
                "twilio": len(self.twilio.carrier.tasks),
            },
            "fallen": dict(self.world.faults.storm.fallen),
        }
