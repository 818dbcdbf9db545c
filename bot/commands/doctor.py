"""``kentongan doctor``: what is wrong, and what to do, one line each."""

NAME = "doctor"


def run() -> None:
    """Say what is wrong and what to do."""
