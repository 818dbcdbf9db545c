"""What every supervisor is told at once: who gets the reports from now on.

Who controls routing controls future reports, so a change is never quiet: it is posted in
the transaction that makes it, to each supervisor who linked a Telegram.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from sqlmodel import Session

from handlers.messages import Reply
from handlers.notices import reporters
from handlers.office import Office
from storage.crypto.sealing import NotAuthentic
from storage.models import Officer
from storage.people import officers, telegram_links
from storage.words import Channel, Role

ADDED, REMOVED = "DUTY.ROUTE", "DUTY.UNROUTE"


def route_changed(
    session: Session,
    office: Office,
    text: str,
    *,
    unit: str,
    by: str,
    second: str,
    now: datetime,
) -> int:
    """Tell all supervisors of a route that was ADDED or REMOVED; returns how many.

    ``by`` and ``second`` are the logins of the two who did it.
    """
    when = f"{now.astimezone(office.zone):%d.%m.%Y %H:%M}"
    params = {"unit": unit, "by": by, "second": second, "when": when}
    told = 0
    for officer, place in _supervisors(session, office):
        reply = Reply(text, params)
        reporters.post_to_officer(session, office, officer, place, reply, now=now)
        told += 1
    return told


def _supervisors(
    session: Session, office: Office
) -> Iterator[tuple[Officer, tuple[Channel, str]]]:
    for officer in officers.everyone(session):
        if officer.role != Role.SUPERVISOR or not officer.active:
            continue
        with suppress(NotAuthentic):  # a planted account or link is told nothing
            officers.require(session, office.keys, officer)
            place = telegram_links.handle_of(session, office.keys, officer.id)
            if place is not None:
                yield officer, place
