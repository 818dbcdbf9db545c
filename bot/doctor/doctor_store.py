"""The store as the doctor's looks open it: soon given up, and empty ones passed over."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from bot.doctor.findings import Patient
from bot.terminal import desk
from storage.database import schema as migrating
from storage.database.database import Database

STORE_SECONDS = 3.0


def opened(patient: Patient) -> closing[Database]:
    """Open the store as it is."""
    url = patient.settings.database.url.get_secret_value()
    return closing(Database(url, wait=STORE_SECONDS))


@contextmanager
def ready(patient: Patient) -> Iterator[Database | None]:
    """Open a store that has tables; None where the look at the database tells it has none."""
    if not desk.store_exists(patient.settings):
        yield None
        return
    with opened(patient) as store:
        yield store if migrating.current(store) else None
