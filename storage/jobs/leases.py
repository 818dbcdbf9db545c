"""Leases: what only one process does at a time, and how far it has come."""

from datetime import datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from storage.models import Lease
from storage.words import Channel

LISTED = tuple(f"twilio.{one.value}" for one in (Channel.SMS, Channel.WHATSAPP))
"""Leases whose cursor is the moment up to which a channel's list at Twilio was seen."""
CURSOR_LIFE = timedelta(days=1)
"""A provider forgets what it could not hand over for a day, and may then number anew."""


def hold(
    session: Session,
    name: str,
    holder: str,
    *,
    seconds: int,
    now: datetime,
    forgets: bool = True,
) -> bool:
    """Take or renew a lease; False while somebody else holds it.

    How far its last holder had come is forgotten when nobody held it for a day, where
    it ``forgets``: a moment, unlike a number of a provider's, stays what it is.
    """
    _know(session, name, now)
    lease = session.exec(
        select(Lease).where(Lease.name == name).with_for_update()
    ).one()
    if lease.holder != holder and lease.until > now:
        return False
    if forgets and lease.until + CURSOR_LIFE < now:
        lease.cursor = 0
    lease.holder = holder
    lease.until = now + timedelta(seconds=seconds)
    session.add(lease)
    return True


def _know(session: Session, name: str, now: datetime) -> None:
    """Make the row of a lease that is new; of two who do, both find one row."""
    connection = session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert(Lease).values(name=name, holder="", until=now, cursor=0)
    connection.execute(row.on_conflict_do_nothing())


def let_go(session: Session, name: str, holder: str, *, now: datetime) -> None:
    """Give a lease back so that another process need not wait."""
    lease = session.get(Lease, name, with_for_update=True)
    if lease is not None and lease.holder == holder:
        lease.until = now
        session.add(lease)


def is_held(session: Session, name: str, *, now: datetime) -> bool:
    """Tell whether somebody holds a lease."""
    lease = session.get(Lease, name, populate_existing=True)
    return lease is not None and lease.until > now


def holds(session: Session, name: str, holder: str, *, now: datetime) -> bool:
    """Tell whether this holder has a lease now."""
    lease = session.get(Lease, name, populate_existing=True)
    return lease is not None and lease.holder == holder and lease.until > now


def idle(session: Session, name: str, *, now: datetime) -> timedelta:
    """Return for how long nobody has held a lease; nothing where somebody does."""
    lease = session.get(Lease, name, populate_existing=True)
    return max(timedelta(), now - lease.until) if lease is not None else timedelta()


def held_until(session: Session, *, now: datetime) -> datetime | None:
    """Return when the last lease ends that somebody holds, None if nobody holds one."""
    return session.exec(
        select(func.max(Lease.until)).where(col(Lease.until) > now)
    ).one()


def cursor(session: Session, name: str) -> int:
    """Return how far the holder of this lease has come (0 at first)."""
    lease = session.get(Lease, name)
    return lease.cursor if lease is not None else 0


def move_cursor(session: Session, name: str, holder: str, value: int) -> bool:
    """Remember how far the holder has come; False if the lease is lost.

    It may go backwards: a provider may choose lower numbers after a quiet week.
    """
    lease = session.get(Lease, name, with_for_update=True)
    if lease is None or lease.holder != holder:
        return False
    lease.cursor = value
    session.add(lease)
    return True
