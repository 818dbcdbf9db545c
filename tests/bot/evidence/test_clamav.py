"""The scanner: asked by its own protocol, believed, and waited for while it is silent."""

import socket
import struct
import threading
from contextlib import contextmanager

import pytest

from bot.evidence import clamav
from tests.support.hostile import EICAR


@contextmanager
def daemon(path, answer, *, hangs_up=False):
    """Answer as clamd does; yields what it was sent."""
    seen = bytearray()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(1)

        def serve():
            line, _ = door.accept()
            with line, line.makefile("rb") as told:
                if hangs_up:
                    line.sendall(answer)
                    return
                assert told.read(10) == b"zINSTREAM\0"
                while (length := struct.unpack(">I", told.read(4))[0]) > 0:
                    seen.extend(told.read(length))
                infected = EICAR in bytes(seen)
                line.sendall(b"stream: Eicar-Test FOUND\0" if infected else answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield seen
        thread.join(5)


@pytest.mark.parametrize("data", [b"", b"isi", b"x" * 200_000])
def test_a_file_goes_whole_and_clean(tmp_path, data):
    pieces = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    with daemon(tmp_path / "s", b"stream: OK\0") as seen:
        assert clamav.is_infected(str(tmp_path / "s"), [*pieces, b""]) is False
    assert bytes(seen) == data


def test_a_virus_is_found_across_pieces(tmp_path):
    with daemon(tmp_path / "s", b"stream: OK\0"):
        assert clamav.is_infected(str(tmp_path / "s"), [EICAR[:20], EICAR[20:]]) is True


@pytest.mark.parametrize(
    "answer", [b"", b"stream: ERROR\0", b"OK", b"stream: Access denied. ERROR\0"]
)
def test_any_other_answer_is_no_verdict(tmp_path, answer):
    with daemon(tmp_path / "s", answer), pytest.raises(clamav.Silent):
        clamav.is_infected(str(tmp_path / "s"), [b"isi"])


def test_what_is_too_large_for_it_is_not_held_up(tmp_path):
    with daemon(tmp_path / "s", b"INSTREAM size limit exceeded. ERROR\0"):
        assert clamav.is_infected(str(tmp_path / "s"), [b"isi"]) is False


def test_a_daemon_that_is_away_or_hangs_up_is_silent(tmp_path):
    with pytest.raises(clamav.Silent):
        clamav.is_infected(str(tmp_path / "none"), [b"isi"])
    with pytest.raises(clamav.Silent):
        clamav.is_infected("127.0.0.1:1", [b"isi"])
    with (
        daemon(tmp_path / "s", b"", hangs_up=True),
        pytest.raises(clamav.Silent),
    ):
        clamav.is_infected(str(tmp_path / "s"), [b"x" * 65536] * 100)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(b"INSTREAM size limit exceeded. ERROR\0", False), (b"stream: V FOUND\0", True)],
)
def test_an_answer_before_the_end_is_read(tmp_path, answer, verdict):
    with daemon(tmp_path / "s", answer, hangs_up=True):
        told = clamav.is_infected(str(tmp_path / "s"), [b"x" * 65536] * 100)
    assert told is verdict


def test_nobody_calls_a_file_clean_before_its_end(tmp_path):
    with (
        daemon(tmp_path / "s", b"stream: OK\0", hangs_up=True),
        pytest.raises(clamav.Silent),
    ):
        clamav.is_infected(str(tmp_path / "s"), [b"x" * 65536] * 100)


def test_an_answer_before_a_reset_is_read():
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve():
            line, _ = door.accept()
            line.recv(10)
            line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
            at_once = struct.pack("ii", 1, 0)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            line.close()
            ended.set()

        def pieces():
            assert ended.wait(5)
            yield b"isi"

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = f"127.0.0.1:{door.getsockname()[1]}"
        assert clamav.is_infected(address, pieces()) is False
        thread.join(5)
