"""What is watched, and how it stands: well since when, or not well since when and why.

One row a name. Names and codes are words of ours, so that nothing of a reporter and nothing
that a provider said can stand here. Whoever does something that may fail says so after each
try; ``bot/watch/watcher.py`` reads it all and tells the operators.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CursorResult, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from storage.models import Watch

RECENT = timedelta(seconds=20)
"""What was well so lately and is well again is not written anew."""
_CODE = re.compile(r"[a-z][a-z0-9_.]{0,39}")


class Watched(StrEnum):
    """Everything that is watched; what begins with ``alarm.`` is ``bot/watch/watcher.py``'s own."""

    CANARY = "canary"
    STORE = "store"
    TELEGRAM_WEBHOOK = "telegram.webhook"
    TELEGRAM_POLLER = "telegram.poller"
    TELEGRAM_WAITING = "telegram.waiting"
    TELEGRAM_SENDING = "telegram.sending"
    SMS_SENDING = "sms.sending"
    WHATSAPP_SENDING = "whatsapp.sending"
    TWILIO_RECONCILE = "twilio.reconcile"
    TWILIO_WEBHOOK = "twilio.webhook"
    BACKUP = "backup"
    FILES = "files"


ALARM = "alarm."
"""How the names of alarms begin: one row for each rule of ``bot/watch/watching.toml``."""


class UnknownWatch(ValueError):
    """A name or a code that is none of ours; add the name to ``Watched``."""


def good(session: Session, name: str, *, now: datetime) -> None:
    """Say that something went well. Raises UnknownWatch."""
    _check(name)
    latest = session.get(Watch, name, populate_existing=True)
    if latest is not None and latest.bad is None and _is_recent(latest.good, now):
        return
    values = {"good": now, "bad": None, "failures": 0, "code": ""}
    _write(session, name, values, values)


def mended(session: Session, name: str, *, now: datetime) -> None:
    """Say that something goes again; where it always did, no time is written."""
    latest = session.get(Watch, name, populate_existing=True)
    if latest is not None and latest.bad is not None:
        good(session, name, now=now)


def bad(session: Session, name: str, code: str, *, now: datetime) -> None:
    """Say that something failed once more; ``code`` is a short word of ours, not a text.

    Since when it fails is kept from the first time. Raises UnknownWatch.
    """
    _check(name)
    if not _CODE.fullmatch(code):
        raise UnknownWatch(name)
    _write(
        session,
        name,
        {"bad": now, "failures": 1, "code": code},
        {
            "bad": func.coalesce(col(Watch.bad), now),
            "failures": col(Watch.failures) + 1,
            "code": code,
        },
    )


def probe(session: Session, *, size: int, now: datetime) -> None:
    """Write so many bytes and take them back: whether the store would take a message.

    A write that changes what is there would not notice that nothing can be added.
    """
    blob = secrets.token_hex(size // 2)
    values = {"good": now, "bad": None, "failures": 0, "code": blob}
    _write(session, Watched.STORE, values, values)
    session.connection().execute(
        update(Watch).where(col(Watch.name) == Watched.STORE).values(code="")
    )


def tell_once(
    session: Session, name: str, *, before: datetime | None, now: datetime | None
) -> bool:
    """Take it upon us to tell the operators; False when another process just did.

    ``before`` is when they heard last as the caller read it; ``now`` None: that it is over.
    """
    _check(name)
    as_read = col(Watch.told).is_(None) if before is None else col(Watch.told) == before
    changed: CursorResult[tuple[()]] = session.connection().execute(
        update(Watch).where(col(Watch.name) == name, as_read).values(told=now)
    )
    return bool(changed.rowcount)


def read(session: Session) -> Mapping[str, Watch]:
    """Return every row by its name."""
    return {row.name: row for row in session.exec(select(Watch).order_by(Watch.name))}


def age(session: Session, name: str, *, now: datetime) -> timedelta:
    """Return the time since something was last well; 0 before the first time."""
    row = session.get(Watch, name)
    if row is None or row.good is None:
        return timedelta()
    return max(timedelta(), now - row.good)


def _write(
    session: Session,
    name: str,
    fresh: Mapping[str, object],
    known: Mapping[str, object],
) -> None:
    connection = session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    begin = {"failures": 0, "code": ""} | dict(fresh)
    connection.execute(
        insert(Watch)
        .values(name=name, **begin)
        .on_conflict_do_update(index_elements=[col(Watch.name)], set_=dict(known))
    )


def _check(name: str) -> None:
    alarm = name.startswith(ALARM) and _CODE.fullmatch(name.removeprefix(ALARM))
    if not alarm and name not in set(Watched):
        raise UnknownWatch(name)


def _is_recent(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and timedelta() <= now - moment < RECENT
