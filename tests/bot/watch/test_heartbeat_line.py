"""Alive, ready, and who may read the counters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.doors import Doors, doors


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path, SERVER__METRICS_TOKEN="m" * 20) as opened:
        yield opened


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Doors]:
    url = f"sqlite:///{tmp_path / 'k.db'}"
    async with doors(url, tmp_path, SERVER__METRICS_TOKEN="m" * 20) as opened:
        yield opened


async def test_alive_and_ready(door: Doors) -> None:
    assert (await door.client.get("/healthz")).text == "ok\n"
    assert (await door.client.get("/readyz")).text == "ready\n"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"Forwarded": "for=127.0.0.1"}, 403),
        ({"X-Forwarded-For": "10.0.0.1", "Authorization": "Bearer " + "m" * 20}, 200),
        ({"X-Forwarded-For": "10.0.0.1", "Authorization": "Bearer wrong"}, 403),
        ({"X-Forwarded-For": "10.0.0.1", "Authorization": "Bearer "}, 403),
    ],
    ids=["loopback", "a proxy", "a standard proxy", "token", "wrong", "empty"],
)
async def test_who_may_read_the_counters(
    lite: Doors, headers: dict[str, str], status: int
) -> None:
    answer = await lite.client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("kentongan_incoming_total" in answer.text) == (status == 200)
