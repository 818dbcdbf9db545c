"""Evidence on disk: no chunk can be changed, swapped, cut off or added."""

import pytest

from storage.crypto.sealing import NotAuthentic
from storage.crypto.streams import CHUNK
from storage.evidence import sealed_files
from storage.evidence.sealed_files import Sealer

SEALED = CHUNK + 16
SIZES = [0, 1, CHUNK - 5, CHUNK - 4, CHUNK - 3, 3 * CHUNK + 17]


def sealed(path, content: bytes, step: int = 10_000) -> bytes:
    sealer = Sealer(path)
    with sealer:
        for at in range(0, len(content), step):
            sealer.write(content[at : at + step])
    assert sealer.size == len(content)
    return sealer.key


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out_and_the_size_is_hidden(tmp_path, size):
    content = bytes(n % 251 for n in range(size))
    path = tmp_path / "aa" / "file.original"
    key = sealed(path, content)
    assert b"".join(sealed_files.chunks(path, key)) == content
    assert path.stat().st_size % SEALED == 0
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["file.original"]


def test_every_change_of_a_chunk_is_found(tmp_path):
    path = tmp_path / "file"
    key = sealed(path, bytes(3 * CHUNK))
    whole = path.read_bytes()
    pieces = [whole[at : at + SEALED] for at in range(0, len(whole), SEALED)]
    assert len(pieces) == 4
    one, two, three, last = pieces
    for broken in (
        [two, one, three, last],
        [one, two, three],
        [one, two, last],
        [one, two, three, last, last],
        [one, one, two, three, last],
        [one, two, three, last[:-1]],
        [one, two, three, last, b"x"],
        [bytes((one[0] ^ 1,)) + one[1:], two, three, last],
    ):
        path.write_bytes(b"".join(broken))
        with pytest.raises(NotAuthentic):
            list(sealed_files.chunks(path, key))
    path.write_bytes(whole)
    with pytest.raises(NotAuthentic):
        list(sealed_files.chunks(path, bytes(32)))


def test_a_broken_fetch_leaves_nothing(tmp_path):
    path = tmp_path / "aa" / "file"

    def fetch() -> None:
        with Sealer(path) as sealer:
            sealer.write(bytes(CHUNK * 2))
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fetch()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("start", [0, 1, CHUNK - 5, CHUNK - 4, CHUNK, 2 * CHUNK + 3])
@pytest.mark.parametrize("size", [None, 0, 1, CHUNK, 10**7])
def test_a_part_comes_out_and_only_that_is_opened(tmp_path, start, size):
    content = bytes(n % 251 for n in range(3 * CHUNK + 17))
    key = sealed(tmp_path / "file", content)
    found = b"".join(
        sealed_files.chunks(tmp_path / "file", key, start=start, size=size)
    )
    stop = None if size is None else start + size
    assert found == content[start:stop]


def test_a_part_that_was_changed_is_found_and_another_is_read(tmp_path):
    path = tmp_path / "file"
    key = sealed(path, bytes(3 * CHUNK))
    broken = bytearray(path.read_bytes())
    broken[10] ^= 1
    path.write_bytes(bytes(broken))
    assert b"".join(sealed_files.chunks(path, key, start=CHUNK, size=9)) == bytes(9)
    with pytest.raises(NotAuthentic):
        list(sealed_files.chunks(path, key, start=9, size=9))


def test_what_would_begin_behind_the_end_is_not_there(tmp_path):
    key = sealed(tmp_path / "file", b"isi")
    with pytest.raises(NotAuthentic):
        list(sealed_files.chunks(tmp_path / "file", key, start=CHUNK))
