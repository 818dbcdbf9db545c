"""A commit is on the disk, and what is deleted is overwritten: as a server opens its store."""

import json
import subprocess
import sys

from tests.support.places import ROOT

ASKED = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "temp_store")
PROGRAM = """
import json, sys
from sqlalchemy import text
from storage.database.database import Database
with Database(sys.argv[1]).write_engine.connect() as connection:
    asked = [connection.scalar(text(f"PRAGMA {name}")) for name in sys.argv[2:]]
print(json.dumps(asked))
"""


def test_sqlite_is_opened_as_it_must_be(tmp_path):
    """FULL is 2: every commit waits for the disk."""
    said = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path / 'k.db'}", *ASKED],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(said.stdout) == ["wal", 2, 1, 1, 2]
