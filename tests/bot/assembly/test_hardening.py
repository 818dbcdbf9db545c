"""A hardened process leaves no core file, no open memory and no open files."""

import multiprocessing
import os
import sys

import pytest

from bot.assembly import hardening

LINUX = sys.platform == "linux"


def test_a_hardened_process_keeps_to_itself():
    with multiprocessing.get_context("spawn").Pool(1) as worker:
        before = worker.apply(hardening.is_hardened)
        after = worker.apply(hardening.harden_process)
        umask = worker.apply(os.umask, (0,))
        worker.close()
        worker.join()
    assert (before, after, umask) == (False, LINUX, 0o077)


def test_elsewhere_than_on_linux_memory_stays_open(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not hardening.is_hardened()
