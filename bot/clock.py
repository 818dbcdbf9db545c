"""The current time for commands; servers and loops get a clock as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - commands have no loop that hands them `now`
