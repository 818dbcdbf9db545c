"""The clock that commands read: acts that somebody does at a terminal happen now."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - commands have no loop that hands them `now`
