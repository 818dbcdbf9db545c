"""What the doctor found: how things stand, and one line that says what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.settings.sections import Settings


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
