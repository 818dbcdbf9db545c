"""Conflicts of interest: who may not reach a case any more, whatever their unit may.

A declaration is a row here, a line of the case's history and one of the audit log. Each of
them bars the officer, so deleting one gives no access back, nor does an older copy of the
whole case; only a verified row is ever settled.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import ServerKeys
from storage.database.statement import Statement
from storage.models import REAL, Case, Conflict, Event
from storage.words import EventCode

_LOGGED = "case.conflict"
_AT_ONCE = 500


def declare(
    session: Session, keys: ServerKeys, report: bytes, officer: bytes, *, now: datetime
) -> None:
    """Keep a declaration; the caller adds the line of the history (``CONFLICT``)."""
    row = Conflict(
        report=report, officer=officer, at=now.replace(microsecond=0), tag=b""
    )
    _sign(keys, row)
    session.add(row)
    session.flush()


def is_barred(session: Session, report: bytes, officer: bytes) -> bool:
    """Tell whether an officer declared a conflict on a case."""
    return officer in who_declared(session, report)


_WHO_DECLARED = Statement(
    "SELECT officer FROM conflicts WHERE report = :report"
    " UNION ALL SELECT officer FROM audit WHERE report = :report AND code = :logged"
    " UNION ALL SELECT officer FROM events WHERE report = :report AND code = :told"
)
"""A declaration counts though somebody took its row, or its line in one of the two books."""


def who_declared(session: Session, report: bytes) -> frozenset[bytes]:
    """Return the officers who declared a conflict on a case."""
    found = _WHO_DECLARED(
        session, report=report, logged=_LOGGED, told=EventCode.CONFLICT.value
    )
    return frozenset(found.scalars())


def was_declared(session: Session, report: bytes) -> bool:
    """Tell whether anybody, a member today or not, declared a conflict on a case."""
    if of_case(session, report):
        return True
    told = select(Event.id).where(
        Event.report == report, Event.code == EventCode.CONFLICT.value
    )
    return session.exec(told.limit(1)).first() is not None


def barred(session: Session, officer: bytes) -> list[bytes]:
    """Return the reports that lists must not show an officer."""
    query = select(Conflict.report).where(Conflict.officer == officer)
    return list(session.exec(query))


def of_case(session: Session, report: bytes) -> list[Conflict]:
    """Return the declarations on a case, unchecked."""
    return list(session.exec(select(Conflict).where(Conflict.report == report)))


def in_units(session: Session, units: Sequence[bytes]) -> list[Case]:
    """Return the cases of these units with a declaration, unchecked, by their numbers.

    The few declarations are read first: by their units all cases would be read.
    """
    declared = session.exec(select(Conflict.report).distinct()).all()
    found: list[Case] = []
    for start in range(0, len(declared), _AT_ONCE):
        some = col(Case.report).in_(declared[start : start + _AT_ONCE])
        found += session.exec(select(Case).where(REAL, some))
    mine = [case for case in found if case.unit in units]
    return sorted(mine, key=lambda case: case.number)


def is_unsettled(session: Session, report: bytes) -> bool:
    """Tell whether the case still has a key that an officer with a conflict had."""
    return any(not row.settled for row in of_case(session, report))


def unsettled(session: Session) -> int:
    """Return how many cases wait for a member's session, whoever may do it."""
    waiting = select(Conflict.report).where(col(Conflict.settled).is_(False))
    return len(set(session.exec(waiting)))


def settle(session: Session, keys: ServerKeys, report: bytes) -> None:
    """Remember that the case has a key that none of these officers ever had.

    Raises NotAuthentic for a row that we did not write.
    """
    for row in of_case(session, report):
        check(keys, row)
        row.settled = True
        _sign(keys, row)
        session.add(row)
    session.flush()


def check(keys: ServerKeys, row: Conflict) -> None:
    """Raise NotAuthentic unless the row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row), _content(row))


def is_ours(keys: ServerKeys, row: Conflict) -> bool:
    """Tell whether the row was written by us as it stands."""
    try:
        check(keys, row)
    except NotAuthentic:
        return False
    return True


def _sign(keys: ServerKeys, row: Conflict) -> None:
    row.tag = keys.tag(_context(row), _content(row))


def _context(row: Conflict) -> Context:
    return Context("conflicts", row.officer, "tag", row.report)


def _content(row: Conflict) -> bytes:
    return encode(row.at.isoformat().encode(), b"settled" if row.settled else b"")
