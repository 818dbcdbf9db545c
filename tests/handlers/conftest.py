from collections.abc import Iterator

import pytest

from tests.support.hashing import hashed_quickly


@pytest.fixture(autouse=True, scope="module")
def hashing() -> Iterator[None]:
    """Let every test here hash quickly; what hashing costs is said in one of them."""
    with hashed_quickly():
        yield
