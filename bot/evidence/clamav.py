"""ClamAV over its socket (``clamd``, INSTREAM): asked about an original before it is opened.

Optional. A daemon that does not answer is no verdict: the file is fetched again later.
The protocol is clamd's own (man clamd, COMMANDS): length and bytes, zero ends.
"""

import re
import socket
import struct
from collections.abc import Iterable
from contextlib import closing
from typing import Final

SECONDS: Final = 130.0
"""A little longer than clamd itself takes for one file (MaxScanTime, 120 s)."""
PATIENCE: Final = 3.0
MOST_ANSWER: Final = 4096
_LENGTH: Final = struct.Struct(">I")
_FOUND: Final = re.compile(rb"stream: (.{1,200}) FOUND\0?", re.DOTALL)
_CLEAN: Final = re.compile(rb"stream: OK\0?")
_TOO_LARGE: Final = b"size limit exceeded"


class Silent(Exception):
    """The scanner gave no verdict; ask again later."""


def is_infected(address: str, pieces: Iterable[bytes]) -> bool:
    """Ask about a file. ``address``: a socket's path, or ``host:port``. Raises Silent.

    One that is larger than the daemon takes counts as clean: nothing knows better.
    """
    try:
        with closing(_connected(address)) as line:
            whole = _sent(line, pieces)
            answer = _answer(line)
    except OSError:
        raise Silent from None
    if _FOUND.fullmatch(answer):
        return True
    if _TOO_LARGE in answer or (whole and _CLEAN.fullmatch(answer)):
        return False
    raise Silent


def answers(address: str) -> bool:
    """Ask whether the daemon is there; ``address`` as in ``is_infected``."""
    try:
        with closing(_connected(address)) as line:
            line.settimeout(PATIENCE)
            line.sendall(b"zPING\0")
            return _answer(line) == b"PONG\0"
    except OSError:
        return False


def _connected(address: str) -> socket.socket:
    if address.startswith("/"):
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(SECONDS)
        try:
            line.connect(address)
        except OSError:
            line.close()
            raise
        return line
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def _sent(line: socket.socket, pieces: Iterable[bytes]) -> bool:
    """Send a file; False where the daemon hangs up before its end: its answer says why."""
    try:
        line.sendall(b"zINSTREAM\0")
        for piece in pieces:
            if piece:
                line.sendall(_LENGTH.pack(len(piece)) + piece)
        line.sendall(_LENGTH.pack(0))
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _answer(line: socket.socket) -> bytes:
    told = b""
    while len(told) < MOST_ANSWER and not told.endswith(b"\0"):
        piece = line.recv(MOST_ANSWER)
        if not piece:
            break
        told += piece
    return told
