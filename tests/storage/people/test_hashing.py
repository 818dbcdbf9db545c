"""What guessing costs: the parameters of Argon2id, as they are really asked for."""

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.crypto import server_key


@pytest.fixture
def asked(monkeypatch):
    """Return what was asked of Argon2id."""
    options = []

    def spy(**wanted):
        options.append(wanted)
        return Argon2id(**wanted)

    monkeypatch.setattr(server_key, "Argon2id", spy)
    return options


def test_a_passphrase_costs_64_mib_three_times(keys, asked):
    key = server_key.passphrase_key(keys, "kata sandi", b"s" * 16)
    assert len(key) == 32
    (options,) = asked
    assert options == {
        "salt": b"s" * 16,
        "length": 32,
        "iterations": 3,
        "lanes": 1,
        "memory_cost": 64 * 1024,
    }


def test_a_receipt_costs_19_mib_twice(keys, asked):
    key = server_key.receipt_key(keys, "7K3M-9QXB", "1" * 16, b"s" * 16)
    assert len(key) == 32
    (options,) = asked
    assert options == {
        "salt": b"s" * 16,
        "length": 32,
        "iterations": 2,
        "lanes": 1,
        "memory_cost": 19 * 1024,
    }
