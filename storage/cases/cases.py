"""The queue: one table, ordered by urgency, then deadline, then age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, make_transient_to_detached
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage.cases import history, tags
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.statement import Statement
from storage.models import REAL, Case, Register
from storage.words import Status

PAGE = 50
ORDER = (col(Case.urgency), col(Case.due), col(Case.day), col(Case.report))
"""The queue's order."""
_CLOSED = frozenset({Status.CLOSED, Status.REJECTED, Status.MERGED, Status.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the queue to show; None means any."""

    is_open: bool = True
    status: str | None = None
    category: str | None = None
    urgency: int | None = None
    officer: bytes | None = None
    without: Sequence[bytes] = ()
    """Reports that are not shown (a conflict of interest)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the keys of its last row."""

    urgency: int
    due: date
    day: date
    report: bytes


def is_open(status: Status) -> bool:
    """Tell whether a case in this status still waits for somebody."""
    return status not in _CLOSED


_COLUMNS = tuple(Case.model_fields)
_INSERT = Statement.insert("cases", _COLUMNS, "ON CONFLICT (number) DO NOTHING")


def insert(session: Session, keys: ServerKeys, case: Case) -> bool:
    """Add a case; False when its number is taken (choose another and try again)."""
    tags.tag_case(keys, case)
    columns = {name: getattr(case, name) for name in _COLUMNS}
    if not _INSERT(session, **columns).rowcount:
        return False
    make_transient_to_detached(case)
    session.add(case)
    return True


def save(session: Session, keys: ServerKeys, case: Case) -> None:
    """Write a case that a verb changed, with a fresh tag."""
    tags.tag_case(keys, case)
    session.add(case)
    session.flush()


def lock(session: Session, keys: ServerKeys, report: bytes) -> Case | None:
    """Load a verified case for change; nobody else changes it until the commit.

    Raises NotAuthentic for a row that is not ours, and for an older copy of a case: what
    comes now would be sealed to a key of then.
    """
    case = session.exec(
        select(Case).where(Case.report == report).with_for_update()
    ).first()
    if case is not None:
        tags.check_case(keys, case)
        if history.is_behind(session, case):
            raise NotAuthentic
    return case


def by_number(
    session: Session, keys: ServerKeys, number: str, *, canary: bool = False
) -> Case | None:
    """Return the verified case with this public number; ``canary``: our own test's too."""
    query = select(Case).where(Case.number == number)
    case = session.exec(query if canary else query.where(REAL)).first()
    if case is not None:
        tags.check_case(keys, case)
    return case


def report_of(session: Session, number: str) -> bytes | None:
    """Return the report id behind a public number, unverified: for ``lock``, which verifies."""
    return session.exec(select(Case.report).where(REAL, Case.number == number)).first()


def get(session: Session, keys: ServerKeys, report: bytes) -> Case | None:
    """Return the verified case with this report id, to read."""
    case = session.get(Case, report)
    if case is not None:
        tags.check_case(keys, case)
    return case


def queue_page(
    session: Session,
    units: Sequence[bytes],
    *,
    filters: Filters,
    after: Place | None = None,
    limit: int = PAGE,
) -> list[Case]:
    """Return the next cases of these units in the queue's order, by an index.

    Each unit is asked by itself: together their rows would have to be sorted. Ask for
    ``limit + 1`` to know whether another page follows.
    """
    query = _wanted(filters)
    if after is not None:
        query = query.where(
            tuple_(*ORDER) > (after.urgency, after.due, after.day, after.report)
        )
    return merged(session, query, units, limit=limit)


def merged(
    session: Session,
    query: SelectOfScalar[Case],
    units: Sequence[bytes],
    *,
    order: Sequence[Mapped[Any]] = ORDER,
    limit: int,
) -> list[Case]:
    """Return the first cases of these units, each unit asked by itself in this order."""
    query = query.order_by(*order).limit(limit)
    found = [
        session.exec(query.where(Case.unit == unit)).all() for unit in sorted(units)
    ]
    names = [str(getattr(column, "key", "")) for column in order]
    both = merge(*found, key=lambda case: [getattr(case, name) for name in names])
    return list(islice(both, limit))


def _wanted(filters: Filters) -> SelectOfScalar[Case]:
    """Say which cases are meant; a status says by itself whether a case is open."""
    query = select(Case).where(REAL)
    if filters.status is not None:
        query = query.where(Case.status == filters.status)
    else:
        query = query.where(col(Case.is_open).is_(filters.is_open))
    if filters.category is not None:
        query = query.where(Case.category == filters.category)
    if filters.urgency is not None:
        query = query.where(Case.urgency == filters.urgency)
    if filters.officer is not None:
        query = query.where(Case.officer == filters.officer)
    if filters.without:
        query = query.where(col(Case.report).not_in(filters.without))
    return query


def unregister(session: Session, case: Case) -> None:
    """Take a case's register number away; the next case of its series gets it."""
    if case.register_year is not None and case.register_number is not None:
        above = case.register_number < 0
        name = -case.register_year if above else case.register_year
        row = session.get_one(Register, name, with_for_update=True)
        row.gaps += 1
        session.add(row)
    case.register_year = case.register_number = None


def dropped_register_number(session: Session, year: int, *, above: bool) -> int | None:
    """Return the first number of a series that no case has any more; None without a gap.

    It is taken with that: the caller gives it to a case. Nobody else gets one of this
    series until the commit.
    """
    step, name = (-1, -year) if above else (1, year)
    row = session.get(Register, name, with_for_update=True, populate_existing=True)
    if row is None or not row.gaps:
        return None
    there = select(Case.register_number).where(
        Case.register_year == year, col(Case.register_number) * step > 0
    )
    taken = set(session.exec(there))
    every = range(step, row.last + step, step)
    found = next((number for number in every if number not in taken), None)
    row.gaps = row.gaps - 1 if found is not None else 0
    session.add(row)
    return found


def next_register_number(session: Session, year: int, *, above: bool) -> int:
    """Return the next number of the internal register, without a gap or a double.

    The unit above us has a series of its own, since a gap would show what is hidden: there
    the numbers go down from -1, counted under the year below zero.
    """
    step, year = (-1, -year) if above else (1, year)
    connection = session.connection()
    insert_into = (
        sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    )
    row = connection.execute(
        insert_into(Register)
        .values(year=year, last=step)
        .on_conflict_do_update(
            index_elements=[col(Register.year)],
            set_={"last": col(Register.last) + step},
        )
        .returning(col(Register.last))
    ).one()
    return int(row[0])
