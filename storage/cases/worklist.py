"""What waits for one officer beside the queue: approvals, and cases they have taken."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlmodel import Session, col, select

from storage.cases import tags
from storage.cases.cases import merged
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import REAL, Case

MOST = 30
"""Cases of one list: a page must not take longer the more wait."""


def taken_by(
    session: Session,
    units: Sequence[bytes],
    officer: bytes,
    *,
    without: Sequence[bytes] = (),
    limit: int = MOST,
) -> list[Case]:
    """Return an officer's open cases in the queue's order, but the reports ``without``."""
    query = select(Case).where(
        REAL,
        Case.officer == officer,
        col(Case.is_open).is_(True),
        col(Case.report).not_in(without),
    )
    return merged(session, query, units, limit=limit)


def held_by(session: Session, unit: bytes, officer: bytes) -> Sequence[bytes]:
    """Return the open cases of a unit that an officer took, or proposed a step of."""
    found: set[bytes] = set()
    for mine in (Case.officer, Case.wanted_by):
        query = select(Case.report).where(
            REAL, mine == officer, Case.unit == unit, col(Case.is_open).is_(True)
        )
        found.update(session.exec(query))
    return sorted(found)


def due_by(
    session: Session,
    units: Sequence[bytes],
    day: date,
    *,
    without: Sequence[bytes] = (),
    limit: int = 20,
) -> list[Case]:
    """Return open cases whose deadline is this day or before it, the earliest first."""
    query = select(Case).where(
        REAL,
        col(Case.is_open).is_(True),
        Case.due <= day,
        col(Case.report).not_in(without),
    )
    order = (col(Case.due), col(Case.urgency), col(Case.report))
    return merged(session, query, units, order=order, limit=limit)


def awaiting_approval(
    session: Session,
    keys: ServerKeys,
    units: Sequence[bytes],
    *,
    without: Sequence[bytes] = (),
    limit: int = MOST,
) -> list[Case]:
    """Return cases for which somebody proposed a step that needs a second officer.

    A proposal that no verb of ours wrote is left out.
    """
    query = select(Case).where(
        REAL, col(Case.wanted_by).is_not(None), col(Case.report).not_in(without)
    )
    return _ours(keys, merged(session, query, units, limit=limit))


def awaiting_class(
    session: Session,
    keys: ServerKeys,
    units: Sequence[bytes],
    *,
    without: Sequence[bytes] = (),
    limit: int = MOST,
) -> list[Case]:
    """Return open cases that are marked as waiting to be classed anew.

    What waits stands among the case's encrypted codes; the mark alone proves nothing.
    """
    query = select(Case).where(
        REAL,
        col(Case.class_asked).is_(True),
        col(Case.is_open).is_(True),
        col(Case.report).not_in(without),
    )
    return _ours(keys, merged(session, query, units, limit=limit))


def _ours(keys: ServerKeys, rows: Iterable[Case]) -> list[Case]:
    """Return the rows that a verb of ours wrote."""
    found = []
    for case in rows:
        try:
            tags.check_case(keys, case)
        except NotAuthentic:
            continue
        found.append(case)
    return found
