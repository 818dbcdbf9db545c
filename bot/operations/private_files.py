"""Files that only their owner may read."""

import os
import secrets
from pathlib import Path

MODE, FOLDER_MODE = 0o600, 0o700


def write_private(path: Path, text: str) -> None:
    """Write a new file that its owner alone may read. Raises FileExistsError."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def replace_private(path: Path, text: str) -> None:
    """Write a file anew as one step: after a crash the old one stands there or the new one.

    The owner stays; a link is followed. Raises OSError.
    """
    place = path.resolve()
    before = place.stat()
    part = place.with_name(f"{place.name}.{secrets.token_hex(8)}.part")
    try:
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if before.st_uid != os.geteuid():
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fsync(file.fileno())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
