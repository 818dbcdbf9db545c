"""The scanner's client and the real clamd, with signatures made here and no network."""

import hashlib
import io
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import zipfile
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path

import pikepdf
import pytest

from bot.evidence import clamav
from storage.evidence.blobs import FolderStore
from storage.words import FileState
from tests.bot.evidence.test_fetching_race import world
from tests.support.hostile import EICAR, jpeg
from tests.support.serving import free_port

__all__ = ["world"]
CLAMD = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin") or ""
pytestmark = pytest.mark.skipif(
    not CLAMD, reason="clamd is not installed (Debian: apt install clamav-daemon)"
)
MARK = b"kentongan-marker-of-a-virus"
PLAIN = b"kentongan-marker-of-no-harm"
PIECE = bytes(1 << 16)
MIB = 1 << 20
PATIENCE = 30.0


def eventually(true, told=str):
    """Ask until it is true; what is waited for says nothing of itself."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


class Daemon:
    """A clamd of our own; its folder holds settings, signatures, a socket and a log."""

    def __init__(self, folder, settings):
        port = free_port()
        self.path, self.port = str(folder / "socket"), f"127.0.0.1:{port}"
        self.folder, self.log = folder, folder / "log"
        known = folder / "signatures"
        known.mkdir()
        (known / "marks.ndb").write_text(f"Kentongan.Mark:0:*:{MARK.hex()}\n")
        digest = hashlib.md5(EICAR).hexdigest()  # noqa: S324 - the form of a signature
        (known / "files.hdb").write_text(f"{digest}:{len(EICAR)}:Kentongan.Eicar\n")
        config = folder / "clamd.conf"
        lines = {
            "Foreground": "yes",
            "LocalSocket": self.path,
            "TCPSocket": port,
            "TCPAddr": "127.0.0.1",
            "DatabaseDirectory": known,
            "TemporaryDirectory": folder,
            **settings,
        }
        config.write_text("".join(f"{key} {lines[key]}\n" for key in lines))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the real daemon
                [CLAMD, "--config-file", config], stdout=log, stderr=log
            )

    def answers(self):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            try:
                line.connect(self.path)
                line.sendall(b"zPING\0")
                return line.recv(16) == b"PONG\0"
            except OSError:
                return False

    def answers_or_ended(self):
        return self.answers() or self.process.poll() is not None

    def awaited(self):
        eventually(self.answers_or_ended, self.log.read_text)
        assert self.process.poll() is None, self.log.read_text()

    def holds(self):
        """Tell whether a file that it was sent lies in its folder."""
        return any(self.folder.glob("clamav-*"))

    @contextmanager
    def paused(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def clamd():
    """Start a clamd with the settings given; all end with the test."""
    with ExitStack() as all_of_them:

        def start(**settings):
            folder = tempfile.TemporaryDirectory(prefix="kt-clamd-")
            daemon = Daemon(Path(all_of_them.enter_context(folder)), settings)
            all_of_them.callback(daemon.end)
            daemon.awaited()
            return daemon

        yield start


@pytest.fixture(params=["path", "port"])
def door(request, clamd):
    """Start a clamd and return one of its two addresses."""

    def start(**settings):
        return getattr(clamd(**settings), request.param)

    return start


def pieces(data, size=10):
    return (data[at : at + size] for at in range(0, len(data), size))


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("surat.txt", data * 9)
    return out.getvalue()


def zipped_twice(data):
    return zipped(zipped(data))


def printed(data):
    out = io.BytesIO()
    with pikepdf.new() as paper:
        paper.add_blank_page().Contents = paper.make_stream(data * 9)
        paper.save(out, compress_streams=True)
    return out.getvalue()


@pytest.mark.parametrize("wrapped", [zipped, zipped_twice, printed])
def test_a_virus_is_found_inside(clamd, wrapped):
    address = clamd().path
    assert MARK not in wrapped(MARK)
    assert clamav.is_infected(address, pieces(wrapped(MARK))) is True
    assert clamav.is_infected(address, pieces(wrapped(PLAIN))) is False


@pytest.mark.parametrize(
    "virus", [EICAR, MARK, b"%PDF-1.7 " + MARK], ids=["eicar", "mark", "broken"]
)
def test_a_virus_is_found_through_both_doors(door, virus):
    address = door()
    assert clamav.is_infected(address, pieces(virus)) is True
    assert clamav.is_infected(address, pieces(virus[:-1])) is False


def test_an_empty_file_is_clean_and_an_empty_piece_is_no_end(door):
    address = door()
    assert clamav.is_infected(address, [b""]) is False
    assert clamav.is_infected(address, [b"", MARK]) is True


@pytest.mark.parametrize(
    ("last", "verdict"), [(PLAIN, False), (MARK, True)], ids=["clean", "virus"]
)
def test_a_large_file_is_read_to_its_end(door, last, verdict):
    def large():
        yield from repeat(PIECE, 20 * MIB // len(PIECE))
        yield from pieces(last)

    assert clamav.is_infected(door(), large()) is verdict


@pytest.mark.parametrize("limit", ["StreamMaxLength", "MaxFileSize", "MaxScanSize"])
def test_a_file_is_scanned_up_to_a_limit_and_let_through_above(clamd, limit):
    address = clamd(**{limit: "1M"}).path
    assert clamav.is_infected(address, [MARK.rjust(MIB, b"x")]) is True
    assert clamav.is_infected(address, [MARK.rjust(MIB + 1, b"x")]) is False


def test_what_it_alerts_of_for_its_size_counts_as_found(clamd):
    address = clamd(MaxFileSize="1M", AlertExceedsMax="yes").path
    assert clamav.is_infected(address, [bytes(MIB)]) is False
    assert clamav.is_infected(address, [bytes(MIB + 1)]) is True


def test_a_daemon_that_hangs_up_at_its_limit_is_heard(door):
    """It answers and closes while we still send: far more than sockets hold."""
    left = repeat(PIECE, 512 * MIB // len(PIECE))
    assert clamav.is_infected(door(StreamMaxLength="1M"), left) is False
    assert next(left, None) is not None, "nobody hung up"


def test_a_file_lies_in_its_folder_only_while_it_is_asked(clamd):
    daemon = clamd()
    assert not daemon.holds()

    def watched():
        yield PIECE
        eventually(daemon.holds)
        yield MARK

    assert clamav.is_infected(daemon.path, watched()) is True
    eventually(lambda: not daemon.holds())


@pytest.mark.parametrize("address", ["path", "port"])
def test_a_daemon_that_ended_is_silent(clamd, address):
    daemon = clamd()
    daemon.end()
    with pytest.raises(clamav.Silent):
        clamav.is_infected(getattr(daemon, address), [b"isi"])


@pytest.mark.parametrize("address", ["path", "port"])
def test_a_daemon_that_dies_while_it_is_asked_is_silent(clamd, address):
    daemon = clamd()

    def cut_short():
        yield PIECE
        daemon.process.kill()
        daemon.process.wait()
        yield from repeat(PIECE, 512)

    with pytest.raises(clamav.Silent):
        clamav.is_infected(getattr(daemon, address), cut_short())


@pytest.mark.parametrize("size", [1, 512])
@pytest.mark.parametrize("address", ["path", "port"])
def test_a_daemon_that_hangs_is_silent_until_it_goes_on(
    clamd, monkeypatch, address, size
):
    daemon = clamd()
    monkeypatch.setattr(clamav, "SECONDS", 0.2)
    with daemon.paused(), pytest.raises(clamav.Silent):
        clamav.is_infected(getattr(daemon, address), repeat(PIECE, size))
    monkeypatch.undo()
    assert clamav.is_infected(getattr(daemon, address), [b"isi"]) is False


@pytest.mark.parametrize("address", ["path", "port"])
def test_whether_it_is_there_is_asked_by_a_ping(clamd, address, monkeypatch):
    daemon = clamd()
    monkeypatch.setattr(clamav, "PATIENCE", 0.2)
    assert clamav.answers(getattr(daemon, address))
    with daemon.paused():
        assert not clamav.answers(getattr(daemon, address))
    assert not clamav.answers("/nowhere/clamd.ctl")


@pytest.fixture
def blob_store(tmp_path):
    return FolderStore(tmp_path / "files")


async def taken(world, address, body):
    world.quick.body = body
    worker = world.worker(world.quick, scanner=address)
    await worker.work(await world.claims())


@pytest.mark.parametrize("kind", [jpeg(), b"nothing that we know "], ids=["jpeg", "?"])
async def test_what_it_finds_is_kept_without_a_copy(world, clamd, kind):
    await taken(world, clamd().path, kind + MARK)
    assert world.row().state == FileState.TAKEN
    assert world.names() == [".original"]
    assert world.evidence() is None
    facts = world.facts()
    assert facts["why"] == "virus"
    assert facts["sha256"] == hashlib.sha256(kind + MARK).hexdigest()


async def test_what_it_calls_clean_has_its_copy(world, clamd):
    await taken(world, clamd().port, jpeg() + PLAIN)
    assert world.facts()["why"] == ""
    assert world.evidence()


async def test_what_is_too_large_for_it_has_its_copy(world, clamd):
    large = jpeg((1200, 1200)) + MARK
    await taken(world, clamd(StreamMaxLength="64K").path, large)
    assert len(large) > MIB // 2
    assert world.facts()["why"] == ""
    assert world.evidence()


async def test_a_file_waits_until_it_goes_on(world, clamd, monkeypatch):
    daemon = clamd()
    monkeypatch.setattr(clamav, "SECONDS", 0.2)
    with daemon.paused():
        await taken(world, daemon.path, jpeg() + MARK)
    assert world.row().state == FileState.WAITING
    assert world.names() == []
    monkeypatch.undo()
    world.here.later(seconds=30)
    await taken(world, daemon.path, jpeg() + MARK)
    assert world.facts()["why"] == "virus"
    assert world.names() == [".original"]
