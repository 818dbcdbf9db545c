"""Files without rows and rows without files: the sweep and the doctor say so."""

from datetime import date

import pytest

from bot.retention import sweeping
from storage.evidence import files
from storage.evidence.blobs import place_of
from storage.evidence.files import Taken
from storage.evidence.sealed_files import PART
from storage.units import units
from storage.words import FileState
from tests.support.desk import desk


@pytest.fixture
def here(database, keys):
    return desk(database, keys)


@pytest.fixture
def case(here):
    return here.reports("555")[0]


def kept(here, case, blob_store, *, copied=True):
    """Take a file as the worker does; return its id."""
    with here.database.writing() as session:
        row = files.reserve(session, here.keys, case.report, day=case.day)
        parts = []
        for which in ("original", "copy")[: 1 + copied]:
            part = blob_store.sealer(row, which)
            with part:
                part.write(b"isi")
            part.publish()
            parts.append(part)
        key = parts[1].key if copied else None
        vault = units.vault(session, here.keys).public_key or b""
        taken = Taken(parts[0].key, key, {}, parts)
        files.taken(session, here.keys, row, taken, public=case.public_key, vault=vault)
    for part in parts:
        part.drop()
    return row


def put(blob_store, name):
    blob_store.bring_back(name, [b"x"], day=date(2026, 3, 2))
    return name


def test_all_is_in_its_place(here, case, blob_store):
    kept(here, case, blob_store)
    kept(here, case, blob_store, copied=False)
    with here.database.writing() as session:
        files.reserve(session, here.keys, case.report, day=case.day)
        refused = files.reserve(session, here.keys, case.report, day=case.day)
        files.refused(session, here.keys, refused, FileState.GONE)
    assert sweeping.look(here.database, blob_store) == sweeping.Looked((), 0)


def test_what_lies_there_without_a_row_is_named(here, case, blob_store):
    row = kept(here, case, blob_store)
    stray = put(blob_store, f"{'5a' * 16}.original")
    half = blob_store.path / place_of(f"{row.hex()}.original.ab{PART}")
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"x")
    found = sweeping.look(here.database, blob_store)
    assert {one.name for one in found.strays} == {stray, half.name}
    assert found.lost == 0


def test_what_a_try_left_of_a_file_that_will_not_come_is_named(here, case, blob_store):
    with here.database.writing() as session:
        waits, refused = (
            files.reserve(session, here.keys, case.report, day=case.day)
            for _ in range(2)
        )
        files.refused(session, here.keys, refused, FileState.GONE)
    put(blob_store, f"{waits.hex()}.original")
    left = put(blob_store, f"{refused.hex()}.original")
    (one,) = sweeping.look(here.database, blob_store).strays
    assert one.name == left


@pytest.mark.parametrize("which", ["original", "copy"])
def test_what_is_gone_is_counted(here, case, blob_store, which):
    first, second = (kept(here, case, blob_store) for _ in range(2))
    (name,) = blob_store.names(first, which)
    blob_store.discard(name)
    assert sweeping.look(here.database, blob_store).lost == 1
    blob_store.remove(second)
    assert sweeping.look(here.database, blob_store).lost == 2
