"""What one transaction has looked up and verified once; a batch of messages shares it.

Nothing outlives the session, so nothing is kept that another process would miss. Whoever
changes officers, units, routes or settings forgets it first (``storage.audit.manifests``).
"""

from collections.abc import Callable
from typing import TypeVar, cast

from sqlmodel import Session

T = TypeVar("T")
_PLACE = "remembered"


def once(session: Session, what: tuple[object, ...], find: Callable[[], T]) -> T:
    """Return what ``find`` gives, asking it only once in this session."""
    known: dict[tuple[object, ...], object] = session.info.setdefault(_PLACE, {})
    if what not in known:
        known[what] = find()
    return cast("T", known[what])


def forget(session: Session) -> None:
    """Forget everything: it is about to change."""
    session.info.pop(_PLACE, None)
