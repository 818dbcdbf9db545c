"""What waits for one officer beside the queue: approvals, and cases they have taken."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from storage.cases import tags
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import REAL, Case, Event
from storage.words import EventCode

MOST = 200
_ORDER = (col(Case.urgency), col(Case.due), col(Case.day), col(Case.report))

_PROPOSING = (
    EventCode.CLASS_ASKED.value,
    EventCode.CLASS_AGREED.value,
    EventCode.CLASS_DROPPED.value,
)


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
        col(Case.unit).in_(list(units)),
        col(Case.report).not_in(without),
    )
    return list(session.exec(query.order_by(*_ORDER).limit(limit)))


def held_by(session: Session, unit: bytes, officer: bytes) -> Sequence[bytes]:
    """Return the open cases of a unit that an officer took, or proposed a step of."""
    mine = or_(col(Case.officer) == officer, col(Case.wanted_by) == officer)
    query = select(Case.report).where(
        REAL, mine, Case.unit == unit, col(Case.is_open).is_(True)
    )
    return session.exec(query.order_by(col(Case.report))).all()


def due_by(
    session: Session,
    units: Sequence[bytes],
    day: date,
    *,
    without: Sequence[bytes] = (),
    limit: int = 20,
) -> list[Case]:
    """Return open cases whose deadline is this day or before it, the earliest first."""
    query = (
        select(Case)
        .where(
            REAL,
            col(Case.is_open).is_(True),
            col(Case.unit).in_(list(units)),
            Case.due <= day,
            col(Case.report).not_in(without),
        )
        .order_by(col(Case.due), col(Case.urgency), col(Case.report))
    )
    return list(session.exec(query.limit(limit)))


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
        REAL,
        col(Case.wanted_by).is_not(None),
        col(Case.unit).in_(list(units)),
        col(Case.report).not_in(without),
    )
    return _ours(keys, session.exec(query.order_by(*_ORDER).limit(limit)))


def awaiting_class(
    session: Session,
    keys: ServerKeys,
    units: Sequence[bytes],
    *,
    without: Sequence[bytes] = (),
    limit: int = MOST,
) -> list[Case]:
    """Return open cases whose history ends a proposal to class them anew with nothing else."""
    last = (
        select(func.max(Event.seq))
        .where(Event.report == Case.report, col(Event.code).in_(_PROPOSING))
        .correlate(Case)
        .scalar_subquery()
    )
    query = (
        select(Case)
        .join(Event, (col(Event.report) == Case.report) & (col(Event.seq) == last))
        .where(
            REAL,
            col(Case.is_open).is_(True),
            col(Case.unit).in_(list(units)),
            col(Case.report).not_in(without),
            Event.code == EventCode.CLASS_ASKED.value,
        )
    )
    return _ours(keys, session.exec(query.order_by(*_ORDER).limit(limit)))


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
