"""Which ended cases may hold something that has outlived its rule; the verb looks again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, tuple_
from sqlmodel import Session, col, select

from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import REAL, Case, File, Item, Subscription
from storage.notices import subscribers
from storage.words import Audience, Erased, Status

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the day that counts, and the report."""

    day: date
    report: bytes


BEGIN: Final = Place(date.min, b"")


@dataclass(frozen=True, slots=True)
class Cut:
    """A rule on one day: of cases in these statuses that counted from ``until`` or before.

    ``since_purged``: it counts from the day on which the contents were erased. ``held``:
    a case on legal hold is meant too.
    """

    what: Erased
    statuses: frozenset[Status]
    until: date
    since_purged: bool
    held: bool


def page(
    session: Session, cut: Cut, status: Status, *, after: Place, limit: int
) -> list[Place]:
    """Return the next ended cases of one status that a cut may concern, the oldest first.

    A case is found until a purge has looked at it (``Case.identity_swept`` and what else
    the indexes say), and by its day: nothing that was purged is read again.
    """
    start = _start(cut)
    where = [Case.status == status.value, start <= cut.until, _is_left(cut.what)]
    if not cut.held:
        where.append(col(Case.hold).is_(False))
    query = (
        select(start, Case.report)
        .where(REAL, *where, tuple_(start, Case.report) > (after.day, after.report))
        .order_by(start, col(Case.report))
        .limit(limit)
    )
    return [Place(day, report) for day, report in session.exec(query)]


def with_contact(
    session: Session, keys: ServerKeys, cuts: Iterable[Cut]
) -> list[bytes]:
    """Return the reports whose notices are past their rule, of all: for who counts them.

    Nothing in the store leads from a case to a wish: the keyed names are made here.
    """
    past = [_is_past(cut) for cut in cuts if cut.what is Erased.CONTACT]
    query = select(Case.report).where(
        REAL,
        col(Case.is_open).is_(False),
        col(Case.purged).is_(None),
        or_(false(), *past),
    )
    found: list[bytes] = []
    ended = session.exec(query).all()
    for start in range(0, len(ended), _CHUNK):
        found += _subscribed(session, keys, ended[start : start + _CHUNK])
    return sorted(found)


def told(
    session: Session, keys: ServerKeys, cuts: Iterable[Cut], *, after: bytes, limit: int
) -> tuple[list[bytes], bytes]:
    """Look at the next wishes for notices: which of their reports are past their rule.

    Returns also the last wish that was looked at, b"" behind the end: from a wish its
    case is found, by the server key, and not the other way.
    """
    query = select(Subscription).where(Subscription.id > after)
    wishes = session.exec(query.order_by(col(Subscription.id)).limit(limit)).all()
    known = (subscribers.unlock(keys, wish) for wish in wishes)
    about = [bytes.fromhex(one.report) for one in known if one and one.report]
    past = [cut for cut in cuts if cut.what is Erased.CONTACT]
    ended = session.exec(select(Case).where(REAL, col(Case.report).in_(about)))
    over = {case.report for case in ended if any(_ends(case, cut) for cut in past)}
    last = wishes[-1].id if len(wishes) == limit else b""
    return sorted(over), last


def counts(session: Session, cuts: Iterable[Cut]) -> Iterator[tuple[Erased, int]]:
    """Tell how many ended cases hold each thing, whatever its age."""
    for what in dict.fromkeys(cut.what for cut in cuts):
        query = select(func.count()).select_from(Case).where(REAL)
        there = and_(col(Case.is_open).is_(False), _is_there(what))
        yield what, session.exec(query.where(there)).one()


def past(
    session: Session, keys: ServerKeys, cuts: Sequence[Cut]
) -> Iterator[tuple[Erased, int]]:
    """Tell how many ended cases hold each thing past its rule."""
    for what in Erased:
        if what is Erased.CONTACT:
            yield what, len(with_contact(session, keys, cuts))
            continue
        old = [_is_past(cut) for cut in cuts if cut.what is what]
        query = select(func.count()).select_from(Case).where(REAL)
        there = and_(col(Case.is_open).is_(False), _is_there(what), or_(false(), *old))
        yield what, session.exec(query.where(there)).one()


def undated(session: Session, *, limit: int) -> list[bytes]:
    """Return ended cases that have no day of their end: rows of an older version."""
    query = select(Case.report).where(
        REAL, col(Case.is_open).is_(False), col(Case.closed).is_(None)
    )
    return sorted(session.exec(query.limit(limit)))


def held(session: Session) -> list[Case]:
    """Return the cases on legal hold, the oldest first."""
    query = select(Case).where(REAL, col(Case.hold).is_(True))
    return list(session.exec(query.order_by(col(Case.day), col(Case.number))))


def _start(cut: Cut) -> Any:  # noqa: ANN401 - a column that holds no day is never read
    return col(Case.purged) if cut.since_purged else col(Case.closed)


def _is_left(what: Erased) -> ColumnElement[bool]:
    """Say, as an index does, that a purge has still to look at an ended case."""
    match what:
        case Erased.IDENTITY:
            return col(Case.identity_swept).is_(False)
        case Erased.CONTENTS:
            return col(Case.purged).is_(None)
        case Erased.FILES:
            return col(Case.files_swept).is_(False)
        case Erased.RECEIPT:
            return col(Case.receipt_wrap).is_not(None)
        case Erased.CONTACT:
            return false()


def _subscribed(
    session: Session, keys: ServerKeys, chunk: Sequence[bytes]
) -> list[bytes]:
    names = {
        keys.look_up(Purpose.SUBSCRIPTION_CASE, report): report for report in chunk
    }
    rows = session.exec(
        select(Subscription.case_name).where(
            col(Subscription.case_name).in_(list(names))
        )
    )
    return [names[name] for name in set(rows)]


def _is_past(cut: Cut) -> ColumnElement[bool]:
    start = _start(cut)
    free = [] if cut.held else [col(Case.hold).is_(False)]
    statuses = [status.value for status in cut.statuses]
    return and_(col(Case.status).in_(statuses), start <= cut.until, *free)


def _ends(case: Case, cut: Cut) -> bool:
    """Tell what ``_is_past`` asks of a case that was read."""
    start = case.purged if cut.since_purged else case.closed
    free = cut.held or not case.hold
    return free and case.status in cut.statuses and bool(start and start <= cut.until)


def _is_there(what: Erased) -> ColumnElement[bool]:
    def item(audience: Audience) -> ColumnElement[bool]:
        return exists().where(
            col(Item.report) == col(Case.report),
            col(Item.audience) == audience.value,
        )

    match what:
        case Erased.IDENTITY:
            return item(Audience.IDENTITY)
        case Erased.CONTENTS:
            return col(Case.purged).is_(None)
        case Erased.FILES:
            return exists().where(col(File.report) == col(Case.report))
        case Erased.RECEIPT:
            return or_(col(Case.receipt_wrap).is_not(None), item(Audience.REPORTER))
        case Erased.CONTACT:
            return false()
