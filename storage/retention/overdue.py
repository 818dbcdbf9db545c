"""Which ended cases may hold something that has outlived its rule; the verb looks again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, exists, false, func, or_
from sqlmodel import Session, col, select

from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import REAL, Case, File, Item, Subscription
from storage.words import Audience, Erased, Status

_CHUNK = 500


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


def reports(
    session: Session, cuts: Iterable[Cut], *, after: bytes, limit: int
) -> list[bytes]:
    """Return the next reports, by id, that hold something past its rule (no contact)."""
    wanted = [
        and_(_is_past(cut), _is_there(cut.what))
        for cut in cuts
        if cut.what is not Erased.CONTACT
    ]
    query = select(Case.report).where(
        REAL, col(Case.is_open).is_(False), Case.report > after, or_(false(), *wanted)
    )
    return list(session.exec(query.order_by(col(Case.report)).limit(limit)))


def with_contact(
    session: Session, keys: ServerKeys, cuts: Iterable[Cut]
) -> list[bytes]:
    """Return the reports whose notices are past their rule.

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
    return list(session.exec(query.order_by(col(Case.report)).limit(limit)))


def held(session: Session) -> list[Case]:
    """Return the cases on legal hold, the oldest first."""
    query = select(Case).where(REAL, col(Case.hold).is_(True))
    return list(session.exec(query.order_by(col(Case.day), col(Case.number))))


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
    start = col(Case.purged) if cut.since_purged else col(Case.closed)
    free = [] if cut.held else [col(Case.hold).is_(False)]
    statuses = [status.value for status in cut.statuses]
    return and_(col(Case.status).in_(statuses), start <= cut.until, *free)


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
