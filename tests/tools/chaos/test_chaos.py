"""The shortened run: everything that `make chaos` does, smaller, with a fixed seed.

Another seed: CHAOS_SEED=… pytest tests/tools/chaos. Same seed, same lives, faults and kills; only
what the processes' own pace decides differs.
"""

import os
from pathlib import Path

import pytest

from tests.tools.chaos.__main__ import once
from tests.tools.chaos.run import SHORT

pytestmark = [pytest.mark.faults, pytest.mark.long]

SEED = os.environ.get("CHAOS_SEED", "1")


@pytest.fixture(autouse=True, scope="module")
def hashing() -> None:
    """Hash as slowly as the servers that give the receipts away."""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_nothing_is_lost_and_nothing_is_doubled_without_a_cause(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "postgresql":
        # It names the folder for sockets that one process can have only once.
        request.getfixturevalue("postgres_server")
    figures = await once(kind, SEED, SHORT, tmp_path)
    assert not figures["misses"], "\n".join(figures["misses"])
    assert figures["happened"]["kills"] >= SHORT.kills
    assert figures["cases"] >= SHORT.reporters * 0.8
