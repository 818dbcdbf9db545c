"""Argon2id as slow as it takes to be right, not as it takes to be safe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.crypto import server_key


def quick(**options: Any) -> Argon2id:
    """Stretch with the least of memory and rounds; stands in for Argon2id."""
    return Argon2id(**{**options, "memory_cost": 64, "iterations": 1})


@contextmanager
def hashed_quickly() -> Iterator[None]:
    """Let everything in this process hash quickly for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_key, "Argon2id", quick)
        yield
