"""A running server with its phones, once on SQLite and once on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from phones import Simulator
from running import Running, running


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with (
        Simulator() as simulator,
        running(database_url, tmp_path, simulator) as here,
    ):
        yield here
