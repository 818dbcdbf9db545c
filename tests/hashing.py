"""Argon2id as slow as it takes to be right, not as it takes to be safe."""

from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def quick(**options: Any) -> Argon2id:
    """Stretch with the least of memory and rounds; stands in for Argon2id."""
    return Argon2id(**{**options, "memory_cost": 64, "iterations": 1})
