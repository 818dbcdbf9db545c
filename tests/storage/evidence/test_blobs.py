"""Every blob store does the same: a folder on the disk, and a bucket of an S3-compatible store."""

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
from storage.evidence.blobs import Away, FolderStore
from storage.evidence.bucket import BucketStore
from tests.support.bucket import new_bucket, s3_server

ID, OTHER = b"\x0a" * 16, b"\x0b" * 16
DAY = date(2026, 3, 2)
SCAN = os.urandom(3 * CHUNK + 5)


def sealed(blob_store, data=SCAN, *, file_id=ID, which="original"):
    """Take a file as the media worker does; returns who wrote it."""
    sealer = blob_store.sealer(file_id, which)
    with sealer:
        sealer.write(data)
    sealer.publish()
    sealer.settle(DAY)
    sealer.drop()
    sealer.tidy()
    return sealer


def names(blob_store):
    return sorted(one.name.rpartition("/")[2][:34] for one in blob_store.blobs())


def test_what_was_sealed_is_read_whole_and_in_parts(blob_store):
    key = sealed(blob_store).key
    assert b"".join(blob_store.chunks(ID, "original", key)) == SCAN
    part = blob_store.chunks(ID, "original", key, start=CHUNK + 7, size=CHUNK)
    assert b"".join(part) == SCAN[CHUNK + 7 : 2 * CHUNK + 7]


def test_nothing_lies_in_clear_and_its_size_is_told_in_chunks(blob_store):
    sealed(blob_store, b"ketua panitia menerima uang")
    (one,) = blob_store.blobs()
    assert one.size == CHUNK + 16
    assert abs(one.since - time.time()) < 60
    with blob_store.open(one.name) as file:
        assert b"panitia" not in file.read()


def test_what_is_not_there_is_an_error_of_the_system(blob_store):
    key = sealed(blob_store).key
    with pytest.raises(FileNotFoundError):
        next(blob_store.chunks(ID, "copy", key))
    with pytest.raises(FileNotFoundError):
        next(blob_store.chunks(OTHER, "original", key))


def test_another_key_and_a_changed_file_are_not_authentic(blob_store):
    sealer = sealed(blob_store)
    (one,) = blob_store.blobs()
    with blob_store.open(one.name) as file:
        raw = bytearray(file.read())
    raw[CHUNK // 2] ^= 1
    blob_store.bring_back(one.name, [bytes(raw)], day=DAY)
    with pytest.raises(NotAuthentic):
        list(blob_store.chunks(ID, "original", sealer.key))


def test_an_original_and_its_copy_go_together_and_nothing_else(blob_store):
    sealed(blob_store)
    sealed(blob_store, b"copy", which="copy")
    key = sealed(blob_store, b"other", file_id=OTHER).key
    blob_store.remove(ID)
    assert names(blob_store) == [f"{OTHER.hex()}.o"]
    assert b"".join(blob_store.chunks(OTHER, "original", key)) == b"other"
    blob_store.remove(ID)


def test_what_was_not_settled_is_dropped(blob_store):
    sealer = blob_store.sealer(ID, "original")
    with sealer:
        sealer.write(SCAN)
    sealer.publish()
    assert [one.name for one in blob_store.blobs()]
    sealer.drop()
    assert list(blob_store.blobs()) == []


def test_what_breaks_while_it_is_written_leaves_nothing(blob_store):
    def breaks():
        with blob_store.sealer(ID, "original") as sealer:
            sealer.write(SCAN)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert list(blob_store.blobs()) == []


def test_a_file_moves_from_one_kind_of_blob_store_to_the_other(
    blob_store, tmp_path, bucket
):
    """As a backup and a restore do: under its name, and its key opens it there."""
    key = sealed(blob_store).key
    (name,) = blob_store.names(ID, "original")
    others = [FolderStore(tmp_path / "other"), bucket.blob_store(tmp_path / "waiting")]
    for other in others:
        with blob_store.open(name) as file:
            other.bring_back(name, iter(lambda: file.read(CHUNK), b""), day=DAY)
        assert b"".join(other.chunks(ID, "original", key)) == SCAN
        other.discard(name)
        other.discard(name)
        assert list(other.blobs()) == []


def test_two_tries_never_write_over_each_other(tmp_path, bucket):
    """The first has stored its row when the second, who is late, uploads and gives up."""
    blob_store = bucket.blob_store(tmp_path)
    first, late = blob_store.sealer(ID, "original"), blob_store.sealer(ID, "original")
    for one, data in ((first, b"first"), (late, b"late")):
        with one:
            one.write(data)
    first.publish()
    first.settle(DAY)
    late.publish()
    assert len(blob_store.names(ID, "original")) == 2
    assert b"".join(blob_store.chunks(ID, "original", first.key)) == b"first"
    late.drop()
    assert b"".join(blob_store.chunks(ID, "original", first.key)) == b"first"


def test_what_a_killed_try_uploaded_goes_once_another_is_stored(tmp_path, bucket):
    blob_store = bucket.blob_store(tmp_path)
    killed = blob_store.sealer(ID, "original")
    with killed:
        killed.write(b"killed")
    killed.publish()
    key = sealed(blob_store, b"stored").key
    sealed(blob_store, b"other", file_id=OTHER)
    assert len(blob_store.names(ID, "original")) == 1
    assert b"".join(blob_store.chunks(ID, "original", key)) == b"stored"
    waiting = [path for path in tmp_path.glob("*/*") if path != killed.part]
    assert waiting == [], "what was uploaded does not stay here"


def test_who_stops_while_a_row_waits_to_be_stored_loses_neither(tmp_path, bucket):
    """Then the row must not be stored: nothing would lie there any more."""
    blob_store = bucket.blob_store(tmp_path)
    stopped = blob_store.sealer(ID, "original")
    with stopped:
        stopped.write(b"isi")
    with pytest.raises(Away):
        stopped.settle(DAY)
    stopped.publish()
    stopped.drop()
    with pytest.raises(Away):
        stopped.settle(DAY)
    assert list(blob_store.blobs()) == []


def test_what_lay_in_the_folder_before_there_was_a_bucket_is_still_opened(
    tmp_path, bucket
):
    key = sealed(FolderStore(tmp_path), b"older").key
    blob_store = bucket.blob_store(tmp_path)
    assert b"".join(blob_store.chunks(ID, "original", key)) == b"older"
    assert blob_store.names(ID, "original") == [f"{ID.hex()}.original"]
    blob_store.remove(ID)
    assert list(FolderStore(tmp_path).blobs()) == []


def test_what_is_not_ours_in_a_bucket_is_left_alone(tmp_path, s3):
    blob_store = new_bucket(s3, prefix="").blob_store(tmp_path)
    for name in ("ledger.xlsx", f"other/{ID.hex()}.pdf"):
        obstore.put(blob_store.bucket, name, b"theirs")
    sealed(blob_store)
    assert names(blob_store) == [f"{ID.hex()}.o"]
    blob_store.remove(ID)
    assert len(next(iter(obstore.list(blob_store.bucket)))) == 2


def test_names_tell_nothing_of_a_key_and_lie_below_the_prefix(tmp_path, bucket):
    blob_store = bucket.blob_store(tmp_path)
    key = sealed(blob_store).key
    found = httpx.get(f"{bucket.section['endpoint']}/{bucket.section['name']}").text
    assert f"<Key>house/evidence/0a/{ID.hex()}.original." in found
    (name,) = blob_store.names(ID, "original")
    assert blobs.NAME.fullmatch(name)
    assert key.hex()[:16] not in name


def test_a_large_file_goes_up_in_pieces_and_comes_whole(tmp_path, bucket):
    data = os.urandom(12 << 20)
    blob_store = bucket.blob_store(tmp_path)
    key = sealed(blob_store, data).key
    assert b"".join(blob_store.chunks(ID, "original", key)) == data
    part = blob_store.chunks(ID, "original", key, start=11 << 20, size=100)
    assert b"".join(part) == data[11 << 20 : (11 << 20) + 100]


def test_a_store_that_is_away_says_so_and_keeps_what_is_sealed(tmp_path, monkeypatch):
    monkeypatch.setattr(buckets, "TRIES", 0)
    with s3_server() as address:
        blob_store = new_bucket(address).blob_store(tmp_path)
        key = sealed(blob_store, b"here").key
    late = blob_store.sealer(OTHER, "original")
    with late:
        late.write(b"late")
    asked = (
        late.publish,
        late.tidy,
        lambda: next(blob_store.chunks(ID, "original", key)),
        lambda: blob_store.remove(ID),
        lambda: [one for one in blob_store.blobs() if one.name],
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
    blob_store = type(bucket)(missing).blob_store(tmp_path)
    assert isinstance(blob_store, BucketStore)
    with pytest.raises(Away):
        list(blob_store.blobs())
    sealer = blob_store.sealer(ID, "original")
    with sealer:
        sealer.write(b"x")
    with pytest.raises(Away):
        sealer.publish()
