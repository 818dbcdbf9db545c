"""Every shelf does the same: a folder on the disk, and a bucket of an S3-compatible store."""

import os
import time
from datetime import date

import httpx
import obstore
import pytest

from storage.crypto.sealing import NotAuthentic
from storage.crypto.streams import CHUNK
from storage.evidence import blobs
from storage.evidence import bucket as buckets
from storage.evidence.blobs import Away, Folder
from storage.evidence.bucket import Bucket
from tests.support.bucket import new_bucket, s3_server

ID, OTHER = b"\x0a" * 16, b"\x0b" * 16
DAY = date(2026, 3, 2)
SCAN = os.urandom(3 * CHUNK + 5)


def sealed(shelf, data=SCAN, *, file_id=ID, which="original"):
    """Take a file as the media worker does; returns who wrote it."""
    sealer = shelf.sealer(file_id, which)
    with sealer:
        sealer.write(data)
    sealer.publish()
    sealer.settle(DAY)
    sealer.drop()
    sealer.tidy()
    return sealer


def lying(shelf):
    return sorted(one.name.rpartition("/")[2][:34] for one in shelf.lying())


def test_what_was_sealed_is_read_whole_and_in_parts(shelf):
    key = sealed(shelf).key
    assert b"".join(shelf.chunks(ID, "original", key)) == SCAN
    part = shelf.chunks(ID, "original", key, start=CHUNK + 7, size=CHUNK)
    assert b"".join(part) == SCAN[CHUNK + 7 : 2 * CHUNK + 7]


def test_nothing_lies_in_clear_and_its_size_is_told_in_chunks(shelf):
    sealed(shelf, b"ketua panitia menerima uang")
    (one,) = shelf.lying()
    assert one.size == CHUNK + 16
    assert abs(one.since - time.time()) < 60
    with shelf.open(one.name) as file:
        assert b"panitia" not in file.read()


def test_what_is_not_there_is_an_error_of_the_system(shelf):
    key = sealed(shelf).key
    with pytest.raises(FileNotFoundError):
        next(shelf.chunks(ID, "copy", key))
    with pytest.raises(FileNotFoundError):
        next(shelf.chunks(OTHER, "original", key))


def test_another_key_and_a_changed_file_are_not_authentic(shelf):
    sealer = sealed(shelf)
    (one,) = shelf.lying()
    with shelf.open(one.name) as file:
        raw = bytearray(file.read())
    raw[CHUNK // 2] ^= 1
    shelf.bring_back(one.name, [bytes(raw)], day=DAY)
    with pytest.raises(NotAuthentic):
        list(shelf.chunks(ID, "original", sealer.key))


def test_an_original_and_its_copy_go_together_and_nothing_else(shelf):
    sealed(shelf)
    sealed(shelf, b"copy", which="copy")
    key = sealed(shelf, b"other", file_id=OTHER).key
    shelf.remove(ID)
    assert lying(shelf) == [f"{OTHER.hex()}.o"]
    assert b"".join(shelf.chunks(OTHER, "original", key)) == b"other"
    shelf.remove(ID)


def test_what_was_not_settled_is_dropped(shelf):
    sealer = shelf.sealer(ID, "original")
    with sealer:
        sealer.write(SCAN)
    sealer.publish()
    assert [one.name for one in shelf.lying()]
    sealer.drop()
    assert list(shelf.lying()) == []


def test_what_breaks_while_it_is_written_leaves_nothing(shelf):
    def breaks():
        with shelf.sealer(ID, "original") as sealer:
            sealer.write(SCAN)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert list(shelf.lying()) == []


def test_a_file_moves_from_one_kind_of_shelf_to_the_other(shelf, tmp_path, bucket):
    """As a backup and a restore do: under its name, and its key opens it there."""
    key = sealed(shelf).key
    (name,) = shelf.names(ID, "original")
    others = [Folder(tmp_path / "other"), bucket.shelf(tmp_path / "waiting")]
    for other in others:
        with shelf.open(name) as file:
            other.bring_back(name, iter(lambda: file.read(CHUNK), b""), day=DAY)
        assert b"".join(other.chunks(ID, "original", key)) == SCAN
        other.discard(name)
        other.discard(name)
        assert list(other.lying()) == []


def test_two_tries_never_write_over_each_other(tmp_path, bucket):
    """The first has stored its row when the second, who is late, uploads and gives up."""
    shelf = bucket.shelf(tmp_path)
    first, late = shelf.sealer(ID, "original"), shelf.sealer(ID, "original")
    for one, data in ((first, b"first"), (late, b"late")):
        with one:
            one.write(data)
    first.publish()
    first.settle(DAY)
    late.publish()
    assert len(shelf.names(ID, "original")) == 2
    assert b"".join(shelf.chunks(ID, "original", first.key)) == b"first"
    late.drop()
    assert b"".join(shelf.chunks(ID, "original", first.key)) == b"first"


def test_what_a_killed_try_uploaded_goes_once_another_is_stored(tmp_path, bucket):
    shelf = bucket.shelf(tmp_path)
    killed = shelf.sealer(ID, "original")
    with killed:
        killed.write(b"killed")
    killed.publish()
    key = sealed(shelf, b"stored").key
    sealed(shelf, b"other", file_id=OTHER)
    assert len(shelf.names(ID, "original")) == 1
    assert b"".join(shelf.chunks(ID, "original", key)) == b"stored"
    waiting = [path for path in tmp_path.glob("*/*") if path != killed.part]
    assert waiting == [], "what was uploaded does not stay here"


def test_who_stops_while_a_row_waits_to_be_stored_loses_neither(tmp_path, bucket):
    """Then the row must not be stored: nothing would lie there any more."""
    shelf = bucket.shelf(tmp_path)
    stopped = shelf.sealer(ID, "original")
    with stopped:
        stopped.write(b"isi")
    with pytest.raises(Away):
        stopped.settle(DAY)
    stopped.publish()
    stopped.drop()
    with pytest.raises(Away):
        stopped.settle(DAY)
    assert list(shelf.lying()) == []


def test_what_lay_in_the_folder_before_there_was_a_bucket_is_still_opened(
    tmp_path, bucket
):
    key = sealed(Folder(tmp_path), b"older").key
    shelf = bucket.shelf(tmp_path)
    assert b"".join(shelf.chunks(ID, "original", key)) == b"older"
    assert shelf.names(ID, "original") == [f"{ID.hex()}.original"]
    shelf.remove(ID)
    assert list(Folder(tmp_path).lying()) == []


def test_what_is_not_ours_in_a_bucket_is_left_alone(tmp_path, s3):
    shelf = new_bucket(s3, prefix="").shelf(tmp_path)
    for name in ("ledger.xlsx", f"other/{ID.hex()}.pdf"):
        obstore.put(shelf.store, name, b"theirs")
    sealed(shelf)
    assert lying(shelf) == [f"{ID.hex()}.o"]
    shelf.remove(ID)
    assert len(next(iter(obstore.list(shelf.store)))) == 2


def test_names_tell_nothing_of_a_key_and_lie_below_the_prefix(tmp_path, bucket):
    shelf = bucket.shelf(tmp_path)
    key = sealed(shelf).key
    found = httpx.get(f"{bucket.section['endpoint']}/{bucket.section['name']}").text
    assert f"<Key>house/evidence/0a/{ID.hex()}.original." in found
    (name,) = shelf.names(ID, "original")
    assert blobs.NAME.fullmatch(name)
    assert key.hex()[:16] not in name


def test_a_large_file_goes_up_in_pieces_and_comes_whole(tmp_path, bucket):
    data = os.urandom(12 << 20)
    shelf = bucket.shelf(tmp_path)
    key = sealed(shelf, data).key
    assert b"".join(shelf.chunks(ID, "original", key)) == data
    part = shelf.chunks(ID, "original", key, start=11 << 20, size=100)
    assert b"".join(part) == data[11 << 20 : (11 << 20) + 100]


def test_a_store_that_is_away_says_so_and_keeps_what_is_sealed(tmp_path, monkeypatch):
    monkeypatch.setattr(buckets, "TRIES", 0)
    with s3_server() as address:
        shelf = new_bucket(address).shelf(tmp_path)
        key = sealed(shelf, b"here").key
    late = shelf.sealer(OTHER, "original")
    with late:
        late.write(b"late")
    asked = (
        late.publish,
        late.tidy,
        lambda: next(shelf.chunks(ID, "original", key)),
        lambda: shelf.remove(ID),
        lambda: [one for one in shelf.lying() if one.name],
    )
    for ask in asked:
        with pytest.raises(Away) as caught:
            ask()
        assert not caught.value.args, "no address, no answer of the store in a log"
    late.drop()
    assert not late.part.exists(), "what was never uploaded is not asked for"


def test_a_bucket_that_is_not_there_is_away(tmp_path, bucket, monkeypatch):
    monkeypatch.setattr(buckets, "TRIES", 0)
    missing = {**bucket.section, "name": "nobody-made-this"}
    shelf = type(bucket)(missing).shelf(tmp_path)
    assert isinstance(shelf, Bucket)
    with pytest.raises(Away):
        list(shelf.lying())
    sealer = shelf.sealer(ID, "original")
    with sealer:
        sealer.write(b"x")
    with pytest.raises(Away):
        sealer.publish()
