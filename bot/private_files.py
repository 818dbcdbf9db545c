"""Files that only their owner may read."""

import os
from pathlib import Path

MODE, FOLDER_MODE = 0o600, 0o700


def write_private(path: Path, text: str) -> None:
    """Write a new file that its owner alone may read. Raises FileExistsError."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
