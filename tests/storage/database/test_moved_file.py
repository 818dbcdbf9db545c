"""A file of SQLite that was away: whoever kept a connection to it gets a new one."""

import pytest
from sqlalchemy.exc import OperationalError

from storage.audit import installation
from storage.database import schema
from storage.database.database import Database
from tests.support.migrated import migrate


@pytest.fixture
def store(tmp_path, keys):
    made = Database(f"sqlite:///{tmp_path / 'k.db'}", wait=0.2)
    migrate(made)
    with made.writing() as session:
        installation.set_setting(session, keys, "demo", "no")
    yield made
    made.close()


def reads(store, keys):
    with store.reading() as session:
        return installation.get_setting(session, keys, "demo")


def test_while_a_file_is_away_no_empty_one_takes_its_place(store, keys, tmp_path):
    path = tmp_path / "k.db"
    store.scrub()
    store.close()
    path.rename(tmp_path / "away.db")
    for door in (store.reading, store.writing):
        with pytest.raises(OperationalError), door() as session:
            installation.get_setting(session, keys, "demo")
    assert not path.exists()
    (tmp_path / "away.db").rename(path)
    assert reads(store, keys) == "no"


@pytest.mark.parametrize("name", ["a b", "50%", "x?mode=ro", "é#1"])
def test_a_path_may_be_written_in_any_way(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    store = Database(f"sqlite:///{folder / 'k.db'}".replace("?", "%3F"))
    schema.upgrade(store)
    store.close()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert [one.name for one in folder.iterdir()] == ["k.db"]


def test_after_a_folder_stood_in_its_place_both_doors_open_again(store, keys, tmp_path):
    path = tmp_path / "k.db"
    store.scrub()
    store.close()
    path.rename(tmp_path / "away.db")
    path.mkdir()
    for _ in range(3):
        with pytest.raises(OperationalError):
            reads(store, keys)
    path.rmdir()
    (tmp_path / "away.db").rename(path)
    assert reads(store, keys) == "no"
