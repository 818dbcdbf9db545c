"""The house with everything in flight, built once for each kind of store."""

import shutil
from collections.abc import Iterator

import pytest

from storage.database.database import Database
from tests.conftest import own_database
from tests.seizure.building import whole_house
from tests.seizure.whole import Whole


@pytest.fixture(autouse=True, scope="module")
def hashing() -> None:
    """Hash as the house here was hashed: ``building`` says where it is done quickly."""


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Whole]:
    """Return the whole house. Tests only read it, or roll back what they did."""
    folder = tmp_path_factory.mktemp("whole")
    if request.param == "sqlite":
        path = folder / "kentongan.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        path.chmod(0o600)
        store = Database(f"sqlite:///{path}")
        yield whole_house(store, folder / "files")
        store.close()
        return
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    with own_database(server, template) as url:
        store = Database(url)
        yield whole_house(store, folder / "files")
        store.close()
