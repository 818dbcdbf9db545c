"""The operators are told: once when an alarm begins, once a day, once when it is over.

Told is every admin who linked a Telegram account, neutrally: what is wrong, never a case
or a person. What was told stands in the watches, so that of many processes one tells.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from handlers.messages import Reply
from handlers.notices import reporters
from handlers.office import Office
from storage.crypto.sealing import NotAuthentic
from storage.jobs import watches
from storage.people import officers, telegram_links
from storage.words import Role

AGAIN = timedelta(days=1)


def rings(session: Session, office: Office, name: str, *, now: datetime) -> int:
    """Say that an alarm rings; returns how many were told, 0 where they know already."""
    key = f"{watches.ALARM}{name}"
    row = watches.read(session).get(key)
    if row is None or row.bad is None:
        watches.bad(session, key, "rings", now=now)
        row = None
    before = row.told if row is not None else None
    if before is not None and now - before < AGAIN:
        return 0
    if not watches.tell_once(session, key, before=before, now=now):
        return 0
    return _tell(
        session, office, "ALARM.RINGS" if before is None else "ALARM.LASTS", name, now
    )


def is_over(session: Session, office: Office, name: str, *, now: datetime) -> int:
    """Say that an alarm is over, to whom it was told; returns how many were told."""
    key = f"{watches.ALARM}{name}"
    row = watches.read(session).get(key)
    if row is None or row.bad is None:
        return 0
    mine = row.told is not None and watches.tell_once(
        session, key, before=row.told, now=None
    )
    watches.good(session, key, now=now)
    return _tell(session, office, "ALARM.OVER", name, now) if mine else 0


def _tell(session: Session, office: Office, text: str, name: str, now: datetime) -> int:
    told = 0
    for officer in officers.everyone(session):
        if not officer.active or officer.role != Role.ADMIN:
            continue
        try:
            place = telegram_links.handle_of(session, office.keys, officer.id)
        except NotAuthentic:
            continue
        if place is None or not officers.counts(session, office.keys, officer):
            continue
        reply = Reply(text, {"what": f"@ALARM.{name}"})
        reporters.post_to_officer(session, office, officer, place, reply, now=now)
        told += 1
    return told
