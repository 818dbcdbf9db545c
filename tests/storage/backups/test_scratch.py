"""A store to try things on leaves nothing with a name, wherever it is killed."""

import secrets
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.backups import scratch


def test_what_does_not_fit_into_memory_has_no_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scratch, "_CACHE_KIB", 64)
    before = spilt()
    with scratch.store() as store:
        store.execute(text("CREATE TABLE t (x BLOB)"))
        for _ in range(32):
            row = {"x": secrets.token_bytes(1 << 16)}
            store.execute(text("INSERT INTO t VALUES (:x)"), row)
        (ours,) = spilt() - before
        assert ours.endswith(" (deleted)")
        assert not Path(ours.removesuffix(" (deleted)")).exists()
    assert spilt() == before


def spilt() -> set[str]:
    """Return SQLite's temporary files that this process holds open."""
    found = set()
    for number in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(number.readlink()))
        except OSError:
            continue
    return {one for one in found if "etilqs_" in one}
