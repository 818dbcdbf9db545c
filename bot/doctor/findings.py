"""The result of a check: a state and one line of advice; and ``Patient``, what is examined.

``opened`` and ``ready`` open the patient's store, with a short wait.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.settings.sections import Settings
from bot.terminal import desk
from storage.database import schema
from storage.database.database import Database


class State(StrEnum):
    """How a thing stands; only ``wrong`` keeps the program from its work."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``check`` names what was looked at."""

    check: str
    state: State
    says: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined, and when."""

    settings: Settings
    environ: Mapping[str, str] = field(repr=False)
    now: datetime


def ok(check: str, says: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, State.OK, says)


def warn(check: str, says: str) -> Finding:
    """Return a finding that somebody should look at."""
    return Finding(check, State.WARN, says)


def wrong(check: str, says: str) -> Finding:
    """Return a finding that must be mended."""
    return Finding(check, State.WRONG, says)


STORE_SECONDS = 3.0
NO_LINK = (
    "the link in the conversation leads nowhere: set server.public_url, whose first page "
    "tells of rights and other ways to report, or agency.info_url, a page of your own"
)


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
        yield store if schema.current(store) else None
