"""The simulator's own time: the computer's, shifted and scaled on demand."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime


class Clock:
    """Wall time plus a shift in seconds; ``scale`` shortens the providers' waits."""

    def __init__(self, scale: float = 1.0) -> None:
        self.shift = 0.0
        self.scale = scale

    def now(self) -> float:
        """Seconds since 1970 as the simulated world sees them."""
        return time.time() + self.shift

    def wait(self, seconds: float) -> float:
        """How long a provider's wait of ``seconds`` lasts here."""
        return seconds * self.scale


def moment(seconds: float) -> datetime:
    """Give an aware UTC time for seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float) -> str:
    """ISO 8601 in UTC."""
    return moment(seconds).isoformat(timespec="milliseconds")


def rfc2822(seconds: float) -> str:
    """Give the date format of Twilio's resources."""
    return format_datetime(moment(seconds))
