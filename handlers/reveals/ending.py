"""Reveals that end by themselves: too old, or whoever asked is no officer any more."""

from collections.abc import Sequence

from handlers.work import Work
from storage.audit import log
from storage.cases import cases, history, reveals
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Reveal
from storage.words import EventCode


def purge(work: Work) -> int:
    """Delete what is over, with a line in each case's history; returns how many."""
    return _end_all(work, reveals.over(work.store, now=work.now), "EXPIRED")


def end_for_officer(work: Work, officer_id: bytes) -> int:
    """Delete what a removed officer asked for, with a line in each case's history."""
    rows = reveals.everything(work.store, work.keys)
    mine = [row for row in rows if row.officer == officer_id]
    ended = _end_all(work, mine, "REMOVED")
    return ended + reveals.end_for_officer(work.store, officer_id)


def _end_all(work: Work, rows: Sequence[Reveal], why: str) -> int:
    """Delete rows as the house itself; the log is written when no case is waited for."""
    ended = []
    for row in sorted(rows, key=lambda row: (row.report, row.id)):
        case = _own_case(work, row)
        if case is not None:
            detail = f"{row.what}:{why}:{reveals.short(row)}"
            history.append(
                work.store,
                work.keys,
                case,
                EventCode.REVEAL_ENDED,
                by=history.SYSTEM,
                day=work.day,
                detail=detail,
            )
            cases.save(work.store, work.keys, case)
            ended.append(case)
        reveals.end(work.store, row)
    for case in ended:
        log.record(
            work.store,
            work.keys,
            "case.reveal_ended",
            officer=None,
            report=case.report,
            detail=history.short(case.head),
            now=work.now,
        )
    return len(rows)


def _own_case(work: Work, row: Reveal) -> Case | None:
    """Return the case if row and case are ours: nothing is written over what was planted."""
    try:
        reveals.check(work.keys, row)
        return cases.lock(work.store, work.keys, row.report)
    except NotAuthentic:
        return None
