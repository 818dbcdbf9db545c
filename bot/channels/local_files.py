"""Files of a Bot API server of our own (``--local``): read from its folder, not by HTTP.

It fetches from Telegram whatever size a file has, puts it into its working folder and
tells the path. Only what lies below that folder is opened, and its copy there goes once it
was read: the server fetches it again should we need it.
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from bot.channels import base
from bot.channels.download import Source
from bot.channels.limits import TELEGRAM_LOCAL
from bot.channels.telegram_sending import Opener

PIECE: Final = 64 * 1024


def opener(source: Source, folder: Path | None) -> Opener:
    """Return what opens an address, and a path where the server lies on this machine."""

    def opened(told: str) -> AbstractAsyncContextManager[base.Download]:
        if folder is not None and told.startswith("/"):
            return open_local(folder, told, TELEGRAM_LOCAL.file_bytes)
        return source.open(told)

    return opened


@asynccontextmanager
async def open_local(
    folder: Path, told: str, limit: int
) -> AsyncIterator[base.Download]:
    """Open the file at a path that the server told; raise ``Never`` or ``Away``."""
    number = await asyncio.to_thread(_open, folder, told, limit)
    try:
        yield base.Download("", _pieces(number))
        with contextlib.suppress(OSError):
            await asyncio.to_thread(Path(told).unlink)
    finally:
        os.close(number)


def _open(folder: Path, told: str, limit: int) -> int:
    """Return a descriptor of a plain file inside the folder, of a size that we take."""
    try:
        inside = folder.resolve(strict=True)
        path = Path(told).resolve(strict=True)
        if not path.is_relative_to(inside):
            raise base.Never("file.address")
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise base.Away("file.lost") from None
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
        os.close(number)
        raise base.Never("file.size" if found.st_size > limit else "file.address")
    return number


async def _pieces(number: int) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(os.read, number, PIECE):
        yield piece
