"""Files without rows and rows without files: the sweep and the doctor say so."""

import pytest

from bot import sweeping
from storage import files, shelf, units
from storage.files import Taken
from storage.words import FileState
from tests.desk import desk


@pytest.fixture
def here(database, keys):
    return desk(database, keys)


@pytest.fixture
def case(here):
    return here.reports("555")[0]


def kept(here, case, folder, *, copied=True):
    """Take a file as the worker does; return its id."""
    with here.database.writing() as session:
        row = files.reserve(session, here.keys, case.report, day=case.day)
        parts = []
        for which in ("original", "copy")[: 1 + copied]:
            part = shelf.Sealer(shelf.place(folder, row, which), apart=True)
            with part:
                part.write(b"isi")
            parts.append(part)
        key = parts[1].key if copied else None
        vault = units.vault(session, here.keys).public_key or b""
        taken = Taken(parts[0].key, key, {}, parts)
        files.taken(session, here.keys, row, taken, public=case.public_key, vault=vault)
    return row


def test_all_is_in_its_place(here, case, tmp_path):
    kept(here, case, tmp_path)
    kept(here, case, tmp_path, copied=False)
    with here.database.writing() as session:
        files.reserve(session, here.keys, case.report, day=case.day)
        refused = files.reserve(session, here.keys, case.report, day=case.day)
        files.refused(session, here.keys, refused, FileState.GONE)
    assert sweeping.look(here.database, tmp_path) == sweeping.Looked((), 0)


def test_what_lies_there_without_a_row_is_named(here, case, tmp_path):
    row = kept(here, case, tmp_path)
    stray = shelf.place(tmp_path, b"s" * 16, "original")
    half = shelf.place(tmp_path, row, "original").with_suffix(".original.ab.part")
    for path in (stray, half):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = sweeping.look(here.database, tmp_path)
    assert set(found.strays) == {stray, half}
    assert found.lost == 0


@pytest.mark.parametrize("which", ["original", "copy"])
def test_what_is_gone_from_the_disk_is_counted(here, case, tmp_path, which):
    first, second = (kept(here, case, tmp_path) for _ in range(2))
    shelf.place(tmp_path, first, which).unlink()
    assert sweeping.look(here.database, tmp_path).lost == 1
    shelf.remove(tmp_path, second)
    assert sweeping.look(here.database, tmp_path).lost == 2
