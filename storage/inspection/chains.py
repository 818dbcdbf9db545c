"""Whether cases, histories, items and lists are what the audit log knows of them.

A row that is put back from an old copy carries a good tag. What gives it away is the
audit log: officers' acts write the head of a case's history there, so that head must be
found in the case's chain for ever. Whoever cuts the audit log too needs its kept head.
"""

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import exists, func
from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.cases import conflicts, history, tags
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import AuditLine, Case, Event
from storage.words import EventCode

_AT_ONCE: Final = 200
_ACTS: Final = col(AuditLine.code).startswith("case.")


def nothing() -> None:
    """Do nothing, where nobody waits to hear how far we are."""


def problems(
    session: Session, keys: ServerKeys, *, seen: Callable[[], None] = nothing
) -> Iterator[str]:
    """Say what is wrong, one line a fault; nothing where all is whole.

    ``seen`` is called after each case. What was looked at is not kept.
    """
    for case in every_case(session):
        yield from _of_case(session, keys, case, _known(session, case.report))
        seen()
    gone = ~exists().where(col(Case.report) == col(AuditLine.report))
    named = select(func.min(AuditLine.seq)).where(_ACTS, gone)
    for line in session.exec(named.group_by(col(AuditLine.report))):
        yield f"line {line} of the audit log names a case that is gone"
    gone = ~exists().where(col(Case.report) == col(Event.report))
    known = exists().where(col(AuditLine.report) == col(Event.report), _ACTS)
    for _ in session.exec(select(Event.report).where(gone, ~known).distinct()):
        yield "there is a history whose case is gone"
    for name in manifests.rolled_back(session, keys):
        yield f"the list of {name} is older than the audit log says"


def every_case(session: Session) -> Iterator[Case]:
    """Yield every case, by its number, a page at a time."""
    last = ""
    while True:
        query = select(Case).where(Case.number > last).order_by(col(Case.number))
        page = session.exec(query.limit(_AT_ONCE)).all()
        if not page:
            return
        yield from page
        last = page[-1].number


def _of_case(
    session: Session, keys: ServerKeys, case: Case, known: dict[str, int]
) -> Iterator[str]:
    try:
        tags.check_case(keys, case)
    except NotAuthentic:
        yield f"case {case.number} was changed by hand"
        return
    line = history.first_broken(session, keys, case)
    if line is not None:
        yield f"case {case.number}: its history is broken at line {line}"
        return
    heads = {
        history.short(event.mac) for event in history.of_case(session, case.report)
    }
    lost = [at for head, at in known.items() if head not in heads]
    if lost:
        yield (
            f"case {case.number} is older than line {min(lost)} of the audit log: "
            "acts were taken out of its history"
        )
    if not _conflicts_fit(session, keys, case):
        yield f"case {case.number}: a conflict of interest was changed or taken away by hand"
    missing = history.missing_items(session, case)
    if missing:
        yield f"case {case.number}: {missing} items missing, or unknown to its history"


def _conflicts_fit(session: Session, keys: ServerKeys, case: Case) -> bool:
    """Tell whether the declarations are ours, those of the history, and settled as it says."""
    rows = conflicts.of_case(session, case.report)
    events = history.of_case(session, case.report)
    told = {e.officer: e.seq for e in events if e.code == EventCode.CONFLICT}
    renewed = max((e.seq for e in events if history.begins_anew(e)), default=0)
    return {row.officer for row in rows} == set(told) and all(
        conflicts.is_ours(keys, row)
        and row.settled == (renewed > told.get(row.officer, 0))
        for row in rows
    )


def _known(session: Session, report: bytes) -> dict[str, int]:
    """Return the heads of a case's history that the audit log names, each with its line."""
    found: dict[str, int] = {}
    acts = select(AuditLine.detail, AuditLine.seq).where(
        _ACTS, AuditLine.report == report
    )
    for head, line in session.exec(acts.order_by(col(AuditLine.seq))):
        found.setdefault(head, line or 0)
    return found
