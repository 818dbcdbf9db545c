from collections.abc import Iterator

import pytest

from storage import keys
from tests.hashing import quick


@pytest.fixture(autouse=True, scope="module")
def hashing() -> Iterator[None]:
    """Let every test here hash quickly; what hashing costs is said in one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "Argon2id", quick)
        yield
