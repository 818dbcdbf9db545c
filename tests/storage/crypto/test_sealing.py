"""Seals and locks: bound to their place, to their key and to their length class."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import BadServerKey, Purpose, ServerKeys

HERE = Context("items", b"r" * 16, "blob", b"c" * 16, 3, 1, b"k")
ELSEWHERE = (
    Context("files", b"r" * 16, "blob", b"c" * 16, 3, 1, b"k"),
    Context("items", b"x" * 16, "blob", b"c" * 16, 3, 1, b"k"),
    Context("items", b"r" * 16, "copy", b"c" * 16, 3, 1, b"k"),
    Context("items", b"r" * 16, "blob", b"x" * 16, 3, 1, b"k"),
    Context("items", b"r" * 16, "blob", b"c" * 16, 4, 1, b"k"),
    Context("items", b"r" * 16, "blob", b"c" * 16, 3, 2, b"k"),
    Context("items", b"r" * 16, "blob", b"c" * 16, 3, 1, b""),
)


def test_a_seal_opens_in_its_place_with_its_key_only():
    pair, other = sealing.new_pair(), sealing.new_pair()
    blob = sealing.seal(b"rahasia", pair.public, HERE)
    assert len(blob) == len(b"rahasia") + 1138
    assert sealing.open_seal(blob, pair.secret, HERE) == b"rahasia"
    assert sealing.public_of(pair.secret) == pair.public
    for place in ELSEWHERE:
        with pytest.raises(NotAuthentic):
            sealing.open_seal(blob, pair.secret, place)
    for broken in (b"", blob[:1], blob[:-1], blob + b"x", b"\x02" + blob[1:], blob[:2]):
        with pytest.raises(NotAuthentic):
            sealing.open_seal(broken, pair.secret, HERE)
    for secret in (other.secret, b"", bytes(95)):
        with pytest.raises(NotAuthentic):
            sealing.open_seal(blob, secret, HERE)
    with pytest.raises(ValueError, match="1,216"):
        sealing.seal(b"x", b"short", HERE)


def test_two_holders_open_together_only():
    inner, outer = sealing.new_pair(), sealing.new_pair()
    blob = sealing.seal_twice(b"nama", inner.public, outer.public, HERE)
    with pytest.raises(NotAuthentic):
        sealing.open_seal(blob, inner.secret, HERE)
    half = sealing.open_seal(blob, outer.secret, HERE)
    assert b"nama" not in half
    assert sealing.open_seal(half, inner.secret, HERE) == b"nama"


@given(st.binary(max_size=40_000))
def test_padding_hides_the_length(content):
    padded = sealing.pad(content)
    assert len(padded) in {256, 1024, 4096, 16384, 32768, 49152}
    assert sealing.unpad(padded) == content


def test_a_false_length_is_refused():
    with pytest.raises(NotAuthentic):
        sealing.unpad(b"\xff\xff\xff\xff" + bytes(252))


@given(
    st.lists(st.binary(max_size=5), max_size=4),
    st.lists(st.binary(max_size=5), max_size=4),
)
def test_no_two_lists_are_encoded_alike(one, other):
    assert (sealing.encode(*one) == sealing.encode(*other)) == (one == other)


def test_locks_and_tags_are_bound_to_purpose_place_and_key():
    keys = ServerKeys.new()
    blob = keys.lock(Purpose.OUTBOX, b"surat", HERE)
    assert keys.unlock(Purpose.OUTBOX, blob, HERE) == b"surat"
    tag = keys.tag(HERE, b"isi")
    keys.check_tag(tag, HERE, b"isi")
    for place in ELSEWHERE:
        with pytest.raises(NotAuthentic):
            keys.unlock(Purpose.OUTBOX, blob, place)
        with pytest.raises(NotAuthentic):
            keys.check_tag(tag, place, b"isi")
    for purpose in set(Purpose) - {Purpose.OUTBOX}:
        with pytest.raises(NotAuthentic):
            keys.unlock(purpose, blob, HERE)
    for broken in (
        b"",
        blob[:1],
        blob[:-1],
        b"\x01\x09" + blob[2:],
        b"\x09" + blob[1:],
    ):
        with pytest.raises(NotAuthentic):
            keys.unlock(Purpose.OUTBOX, broken, HERE)
    for wrong in (b"", tag[:-1], b"\x07" + tag[1:], tag[:1] + bytes(32)):
        with pytest.raises(NotAuthentic):
            keys.check_tag(wrong, HERE, b"isi")
    with pytest.raises(NotAuthentic):
        ServerKeys.new().unlock(Purpose.OUTBOX, blob, HERE)


def test_old_keys_open_and_the_newest_writes():
    old = ServerKeys.new()
    both = ServerKeys({1: old.ring[1], 2: bytes(range(32))})
    blob, tag = old.lock(Purpose.JOB, b"x", HERE), old.tag(HERE, b"x")
    assert both.unlock(Purpose.JOB, blob, HERE) == b"x"
    both.check_tag(tag, HERE, b"x")
    assert both.newest == both.tag(HERE, b"x")[0] == 2
    with pytest.raises(NotAuthentic):
        old.unlock(Purpose.JOB, both.lock(Purpose.JOB, b"x", HERE), HERE)


def test_a_ring_is_read_as_it_is_written_and_hides_itself():
    keys = ServerKeys({1: bytes(32), 200: bytes(range(32))})
    assert ServerKeys.from_text(keys.to_text()) == keys
    assert "AAAA" not in repr(keys)
    short = "1:" + "QUJD"
    for wrong in (
        "",
        "x",
        "1:!!!",
        short,
        "0:" + "A" * 43 + "=",
        "300:" + "A" * 43 + "=",
    ):
        with pytest.raises(BadServerKey):
            ServerKeys.from_text(wrong)


def test_purposes_and_values_never_share_a_name():
    keys = ServerKeys.new()
    names = [keys.look_up(purpose, "sms", "+62") for purpose in Purpose]
    names += [
        keys.look_up(Purpose.HANDLE, "sm", "s+62"),
        keys.look_up(Purpose.HANDLE, "sms+62"),
    ]
    assert len(set(names)) == len(names)
