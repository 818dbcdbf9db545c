"""Every input that is kept is read or refused, always; and what is ours still opens."""

import tracemalloc

import pytest

from tests.tools.fuzzing import formats
from tests.tools.fuzzing.finding import every_bit
from tests.tools.fuzzing.mutating import DIGITS
from tests.tools.fuzzing.table import TARGETS
from tests.tools.fuzzing.target import CORPUS, Target

MOST_MEMORY = 32 << 20
BLOWN = 64 << 10
AUTHENTIC = ("seal", "lock", "bare_lock", "tag", "stream", "tombstone", "backup.file")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EVERY = pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))


def ours(name: str) -> bytes:
    folder = TARGETS[name].folder
    return next(folder / one for one in ("ours", "newest") if (folder / one).exists()).read_bytes()  # fmt: skip


@EVERY
def test_every_kept_input_is_read_or_refused(target: Target) -> None:
    inputs = target.inputs()
    assert inputs
    read = [target.reads(raw) for raw in inputs]
    assert any(read)


def test_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)


@EVERY
def test_an_input_blown_up_costs_little(target: Target) -> None:
    """64 KiB of the same, of brackets and of digits: bounded time (``Target.reads``)."""
    first = target.inputs()[0] or b"x"
    for raw in (first, b"[", b"7K3M ", b"1 ", DIGITS.encode(), b"a=b&", b'{"a":'):
        target.reads((raw * (BLOWN // len(raw) + 1))[:BLOWN])


@EVERY
def test_an_input_blown_up_stays_small_in_memory(target: Target) -> None:
    raw = (target.inputs()[0] or b"x")[:BLOWN]
    whole = (raw * (BLOWN // len(raw) + 1))[:BLOWN]
    tracemalloc.start()
    try:
        target.reads(whole)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_MEMORY, most


@pytest.mark.parametrize("name", AUTHENTIC)
def test_one_changed_bit_is_refused(name: str) -> None:
    """Every bit of what is short; of what is long its head, its end and a few between."""
    raw = ours(name)
    places = [
        at for at in range(len(raw)) if at < 120 or at > len(raw) - 20 or at % 4001 == 0
    ]
    assert TARGETS[name].reads(raw)
    for changed in every_bit(raw, places):
        assert not TARGETS[name].reads(changed)


@pytest.mark.parametrize("name", AUTHENTIC)
def test_whatever_is_cut_off_or_added_is_refused(name: str) -> None:
    raw = ours(name)
    for size in {0, 1, 2, len(raw) // 2, len(raw) - 1}:
        assert not TARGETS[name].reads(raw[:size])
    if name != "tombstone":  # a line's end is no part of it
        assert not TARGETS[name].reads(raw + b"\0")


def test_a_tag_under_no_key_is_no_tag() -> None:
    """Id 0 means "the newest" inside; outside it would be a second form of each tag."""
    tag = TARGETS["tag"]
    assert not tag.reads(b"\0" + ours("tag")[1:])
    assert formats.RING.newest == ours("tag")[0]
