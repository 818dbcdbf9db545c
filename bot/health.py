"""Whether the program lives, is ready, and what it counts."""

import asyncio
from http import HTTPStatus

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot import metrics as metering
from bot.metrics import Metrics
from bot.settings import Settings
from storage.database import Database


def routes(database: Database, metrics: Metrics, settings: Settings) -> list[BaseRoute]:
    """Return ``/healthz`` (alive), ``/readyz`` (the store answers) and ``/metrics``."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        ready = await asyncio.to_thread(_answers, database)
        if ready:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(
            "the store does not answer\n", HTTPStatus.SERVICE_UNAVAILABLE
        )

    async def figures(request: Request) -> Response:
        host = request.client.host if request.client else ""
        token = settings.server.metrics_token
        if not metering.allowed(request.headers, host, token):
            return Response(status_code=HTTPStatus.FORBIDDEN)
        series = await asyncio.to_thread(metrics.render)
        return Response(series, media_type=metering.CONTENT_TYPE)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", figures),
    ]


def _answers(database: Database) -> bool:
    try:
        with database.reading() as session:
            session.connection().execute(text("SELECT 1"))
    except Exception:  # noqa: BLE001 - whatever it is, the store does not answer
        return False
    return True
