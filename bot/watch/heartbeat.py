"""A sign of life for somebody outside, who notices when this whole machine is dead."""

import asyncio

import httpx

from bot.telemetry import logs

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
