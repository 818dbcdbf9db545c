"""``/healthz``, ``/readyz``, ``/metrics``; and ``call``, which tells an outside monitor.

``/readyz`` says "ready" only when this process can store a message durably now
(``bot/watch/readiness.py``). The reason why not is told to whoever may read
``/metrics``, one word a line.
"""

import asyncio
from http import HTTPStatus

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.settings.sections import Settings
from bot.telemetry import logs
from bot.telemetry import metrics as metering
from bot.telemetry.metrics import Metrics
from bot.watch.readiness import Readiness


def routes(
    readiness: Readiness, metrics: Metrics, settings: Settings
) -> list[BaseRoute]:
    """Return ``/healthz`` (the loop answers), ``/readyz`` and ``/metrics``."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        wrong = await readiness.ask()
        if not wrong:
            return PlainTextResponse("ready\n")
        told = ["not ready", *(wrong if may_read(request) else ())]
        return PlainTextResponse(
            "".join(f"{line}\n" for line in told), HTTPStatus.SERVICE_UNAVAILABLE
        )

    def may_read(request: Request) -> bool:
        host = request.client.host if request.client else ""
        return metering.allowed(request.headers, host, settings.server.metrics_token)

    async def figures(request: Request) -> Response:
        if not may_read(request):
            return Response(status_code=HTTPStatus.FORBIDDEN)
        series = await asyncio.to_thread(metrics.render)
        return Response(series, media_type=metering.CONTENT_TYPE)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", figures),
    ]


SECONDS = 5.0
"""What the whole call may take."""


async def call(url: str) -> None:
    """Tell somebody outside that all is well: no data, no redirect; failing harms nothing.

    Nothing of the answer is read: it might never end, and the next canary waits for us.
    """
    if not url:
        return
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(trust_env=False, timeout=SECONDS) as web,
            web.stream("GET", url, follow_redirects=False),
        ):
            return
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        logs.failure("heartbeat.failed", error)
