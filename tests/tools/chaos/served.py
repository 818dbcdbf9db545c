"""``python -m bot``, but its SQLite must not grow while the file ``CHAOS_BRIM`` is there.

Stands in for a full disk where no small one can be mounted.
"""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bot import cli

BRIM = Path(os.environ["CHAOS_BRIM"])
UNBOUNDED = 4_294_967_294


@event.listens_for(Engine, "begin")
def on_begin(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        most = 1 if BRIM.exists() else UNBOUNDED  # never less than there is
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")


if __name__ == "__main__":
    cli.main()
