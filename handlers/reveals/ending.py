"""Reveals that end by themselves: too old, or whoever asked is no officer any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.office import Office
from storage.audit import log
from storage.cases import cases, history, reveals
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Reveal
from storage.words import EventCode


def purge(session: Session, office: Office, *, now: datetime) -> int:
    """Delete what is over, with a line in each case's history; returns how many."""
    return _end_all(session, office, reveals.over(session, now=now), "EXPIRED", now)


def end_for_officer(
    session: Session, office: Office, officer_id: bytes, *, now: datetime
) -> int:
    """Delete what a removed officer asked for, with a line in each case's history."""
    rows = reveals.everything(session, office.keys)
    mine = [row for row in rows if row.officer == officer_id]
    ended = _end_all(session, office, mine, "REMOVED", now)
    return ended + reveals.end_for_officer(session, officer_id)


def _end_all(
    session: Session, office: Office, rows: Sequence[Reveal], why: str, now: datetime
) -> int:
    """Delete rows as the house itself; the log is written when no case is waited for."""
    ended = []
    for row in sorted(rows, key=lambda row: (row.report, row.id)):
        case = _own_case(session, office, row)
        if case is not None:
            detail = f"{row.what}:{why}:{reveals.short(row)}"
            history.append(
                session,
                office.keys,
                case,
                EventCode.REVEAL_ENDED,
                by=history.SYSTEM,
                day=office.day(now),
                detail=detail,
            )
            cases.save(session, office.keys, case)
            ended.append(case)
        reveals.end(session, row)
    for case in ended:
        log.record(
            session,
            office.keys,
            "case.reveal_ended",
            officer=None,
            report=case.report,
            detail=history.short(case.head),
            now=now,
        )
    return len(rows)


def _own_case(session: Session, office: Office, row: Reveal) -> Case | None:
    """Return the case if row and case are ours: nothing is written over what was planted."""
    try:
        reveals.check(office.keys, row)
        return cases.lock(session, office.keys, row.report)
    except NotAuthentic:
        return None
