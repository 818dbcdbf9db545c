"""Records a store of today's schema, before the next migration is written.

What stands already is never written anew: later code would write other rows.
"""

import io
import json
import tempfile
from pathlib import Path

from bot.clock import utc_now
from storage.backups import proof, writing
from storage.database import schema
from storage.database.database import Database
from storage.evidence.blobs import FolderStore
from storage.jobs import leases
from tests.seizure.building import whole_house

HERE = Path(__file__).parent


def record() -> Path:
    """Build a house with everything in flight and write it down; returns the file."""
    path = HERE / f"{schema.head()}.kentongan"
    if path.exists():
        raise FileExistsError(path)
    with tempfile.TemporaryDirectory() as folder:
        store = Database(f"sqlite:///{folder}/store.db")
        schema.upgrade(store)
        whole = whole_house(store, Path(folder) / "files")
        with store.writing() as session:
            now = whole.here.now
            leases.hold(session, "poller", "h", seconds=60, now=now)
            leases.move_cursor(session, "poller", "h", 77)
        out = io.BytesIO()
        writing.LEFT_OUT = frozenset()
        writing.write(
            store,
            whole.keys,
            FolderStore(whole.folder),
            out,
            program="recorded",
            now=now,
        )
        store.close()
    out.seek(0)
    house = whole.here.house
    told = {
        "key": whole.keys.to_text(),
        "now": now.isoformat(),
        "unit": house.unit.id.hex(),
        "unit_secret": house.unit_secret.hex(),
        "supervisor": house.supervisor.secret.hex(),
        "supervisor_id": house.supervisor.officer.id.hex(),
        "slips": {n: [slip.number, slip.code] for n, slip in whole.slips.items()},
        "cases": {n: case.report.hex() for n, case in whole.cases.items()},
        "faults": proof.prove(out, whole.keys).faults,
    }
    path.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    path.write_bytes(out.getvalue())
    return path


if __name__ == "__main__":
    print(record(), utc_now().date())  # noqa: T201 - a script that prints
