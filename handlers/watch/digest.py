"""The auditor's daily digest: the head of the log, and what happened since the last one.

Whoever keeps the head outside this system can show later that a log was cut or put back.
The digest is a line of the log itself, so two processes send it once.
"""

from collections import Counter
from datetime import datetime, time

from sqlmodel import Session, col, select

from handlers.messages import Reply
from handlers.notices import reporters
from handlers.office import Office
from storage.audit import log
from storage.crypto.sealing import NotAuthentic
from storage.models import AuditLine, Officer
from storage.people import officers, telegram_links
from storage.units import admissions
from storage.words import Channel, Role

CODE = "digest"
HOUR = time(7)
"""Local time from which on the day's digest is due."""
_READ, _REVEAL = "case.read", "case.reveal"
_WRONG = "second_factor_wrong"
_REMOVED = frozenset({"unit.removed", "officer.ended"})


def is_due(session: Session, office: Office, *, now: datetime) -> bool:
    """Tell whether today's digest is still to be sent."""
    local = now.astimezone(office.zone)
    if local.time() < HOUR:
        return False
    last = _last(session)
    return last is None or office.day(last.at) < local.date()


def send(
    session: Session, office: Office, *, broken: int | None, now: datetime
) -> int | None:
    """Write the digest into the log and send it to every auditor who linked a Telegram.

    ``broken`` is the first line that is not whole, looked for outside the transaction.
    Returns how many were told; None where today's was sent already.
    """
    if not is_due(session, office, now=now):
        return None
    counts, since = _counts(session)
    detail = f"broken:{broken}" if broken else "whole"
    log.record(session, office.keys, CODE, officer=None, detail=detail, now=now)
    params = {
        "day": f"{office.day(now):%d.%m.%Y}",
        "head": log.written(log.head(session)),
        "lines": str(since),
        "read": str(counts[_READ]),
        "reveals": str(sum(n for c, n in counts.items() if c.startswith(_REVEAL))),
        "removed": str(sum(n for c, n in counts.items() if c in _REMOVED)),
        "wrong": str(counts[_WRONG]),
        "line": str(broken or 0),
    }
    text = "DIGEST.BROKEN" if broken else "DIGEST.WHOLE"
    reply = Reply(text, params)
    told = 0
    for officer, place in _auditors(session, office):
        reporters.post_to_officer(session, office, officer, place, reply, now=now)
        told += 1
    return told


def _last(session: Session) -> AuditLine | None:
    query = select(AuditLine).where(AuditLine.code == CODE)
    return session.exec(query.order_by(col(AuditLine.seq).desc()).limit(1)).first()


def _counts(session: Session) -> tuple[Counter[str], int]:
    """Return the acts since the last digest by code, and how many lines they are."""
    last = _last(session)
    query = select(AuditLine.code)
    if last is not None and last.seq is not None:
        query = query.where(col(AuditLine.seq) > last.seq)
    counts = Counter(session.exec(query))
    return counts, counts.total()


def _auditors(
    session: Session, office: Office
) -> list[tuple[Officer, tuple[Channel, str]]]:
    found = []
    for officer in officers.everyone(session):
        if officer.role != Role.AUDITOR or not officer.active:
            continue
        try:
            officers.require(session, office.keys, officer)
            if admissions.is_unconfirmed(session, office.keys, officer.id):
                continue
            place = telegram_links.handle_of(session, office.keys, officer.id)
        except NotAuthentic:
            continue
        if place is not None:
            found.append((officer, place))
    return found
