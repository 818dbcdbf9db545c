"""Server and sandbox: what is said between them, and what happens when one dies."""

import io
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from bot.evidence import converter, frames
from bot.evidence.kinds import kinds
from bot.evidence.sandbox import __main__, confinement
from tests.bot.evidence.sandbox.papers import scanned
from tests.support.hostile import jpeg, pdf


def test_frames_are_read_as_they_were_written():
    out = io.BytesIO()
    frames.write(out, frames.COPY, bytes(frames.MOST + 5))
    frames.write(out, frames.FACTS, b"{}")
    out.seek(0)
    assert [(letter, len(data)) for letter, data in frames.read(out)] == [
        (frames.COPY, frames.MOST),
        (frames.COPY, 5),
        (frames.FACTS, 2),
    ]


@pytest.mark.parametrize(
    "said",
    [b"", b"C", b"X\0\0\0\1a", b"C\0\0\0\5abc", b"C\xff\xff\xff\xff", b"C\0\0\0\1a"],
)
def test_what_is_no_frame_is_refused(said):
    with pytest.raises(frames.Broken):
        list(frames.read(io.BytesIO(said)))


def test_a_sandbox_that_takes_too_long_ends():
    """It waits for words that do not come while nobody closes the pipe."""

    def slowly():
        yield b"halo"
        time.sleep(1.5)

    began = time.monotonic()
    facts = converter.clean(
        kinds()["text"], slowly(), copy=bytearray, preview=bytearray, seconds=0.3
    )
    assert facts == {"why": "slow"}
    assert time.monotonic() - began < 10


def test_whoever_holds_a_sandbox_may_kill_it():
    sandbox, began = converter.Sandbox(), threading.Event()

    def endless():
        while True:
            began.set()
            yield b"halo"

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(
            converter.clean,
            kinds()["text"],
            endless(),
            copy=bytearray,
            preview=bytearray,
            sandbox=sandbox,
        )
        assert began.wait(10)
        sandbox.kill()
        assert work.result(10)["why"]
    sandbox.kill()


def test_a_sandbox_that_was_killed_before_it_began_does_nothing():
    sandbox = converter.Sandbox()
    sandbox.kill()
    facts = converter.clean(
        kinds()["text"], [b"halo"], copy=bytearray, preview=bytearray, sandbox=sandbox
    )
    assert facts["why"]


def test_so_many_files_are_opened_at_once_and_no_page_waits_for_ever(monkeypatch):
    monkeypatch.setattr(converter, "PATIENCE", 0.01)
    drawn = bytearray()
    paper = pdf(scanned)

    def page():
        return converter.page(kinds()["pdf"], [paper], 0, preview=drawn.extend)

    with ExitStack() as taken:
        for _ in range(converter.SANDBOXES):
            taken.enter_context(converter._free)  # noqa: SLF001 - as a sandbox at work
        with pytest.raises(converter.Busy):
            page()
    assert "why" not in page()
    assert drawn.startswith(b"\xff\xd8")


def test_the_server_itself_loads_nothing_that_opens_files():
    """What reads strangers' bytes is in the sandbox alone, and costs the server nothing."""
    asked = (
        "import sys, bot.app; "
        "print(*sorted({'lxml', 'pikepdf', 'pypdfium2', 'PIL'} & set(sys.modules)))"
    )
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", asked], capture_output=True, check=True, text=True
    )
    assert found.stdout.strip() == ""


def test_a_sandbox_that_cannot_start_is_told_from_a_file_that_is_broken(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    facts = converter.clean(
        kinds()["jpeg"], [jpeg()] * 50, copy=bytearray, preview=bytearray
    )
    assert facts == {"why": "broken"}


def test_our_secrets_are_not_in_the_environment_of_the_sandbox(monkeypatch):
    """What it could tell of us is the language; its environment is made anew."""
    seen = {}
    real = subprocess.Popen

    def spy(*args, **more):
        seen.update(more)
        return real(*args, **more)

    monkeypatch.setenv("KENTONGAN_TELEGRAM__TOKEN", "1:secret")
    monkeypatch.setattr(subprocess, "Popen", spy)
    converter.clean(kinds()["text"], [b"halo"], copy=bytearray, preview=bytearray)
    assert seen["env"] == {"LANG": "C.UTF-8"}
    assert seen["cwd"] == "/"


def test_a_file_that_is_larger_than_memory_may_be_is_not_opened(monkeypatch):
    monkeypatch.setattr(__main__, "MOST_BYTES", 10)
    monkeypatch.setattr(confinement, "lock", lambda **_: None)
    out = io.BytesIO()
    __main__.run(kinds()["text"], "clean", [], io.BytesIO(b"x" * 11), out)
    out.seek(0)
    assert list(frames.read(out)) == [(frames.FACTS, b'{"why": "large"}')]


@pytest.mark.parametrize(
    ("error", "why"), [(MemoryError, "large"), (KeyError, "broken")]
)
def test_whatever_a_cleaner_raises_has_a_word(monkeypatch, error, why):
    def fails(*_):
        raise error

    monkeypatch.setattr("bot.evidence.sandbox.plain_text.clean", fails)
    monkeypatch.setattr(confinement, "lock", lambda **_: None)
    out = io.BytesIO()
    __main__.run(kinds()["text"], "clean", [], io.BytesIO(b"x"), out)
    assert f'"{why}"'.encode() in out.getvalue()
