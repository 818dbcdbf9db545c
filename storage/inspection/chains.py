"""Whether cases, histories, items and lists are what the audit log knows of them.

A row that is put back from an old copy carries a good tag. What gives it away is the
audit log: officers' acts write the head of a case's history there, so that head must be
found in the case's chain for ever. Whoever cuts the audit log too needs its kept head.
"""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.cases import conflicts, history, tags
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import AuditLine, Case, Event
from storage.words import EventCode


def problems(session: Session, keys: ServerKeys) -> Iterator[str]:
    """Say what is wrong, one line a fault; nothing where all is whole."""
    known = _known(session)
    numbers = {}
    for case in session.exec(select(Case).order_by(col(Case.number))):
        numbers[case.report] = case.number
        yield from _of_case(session, keys, case, known.get(case.report, {}))
    for report, heads in known.items():
        if report not in numbers:
            yield f"line {min(heads.values())} of the audit log names a case that is gone"
    for report in session.exec(select(Event.report).distinct()):
        if report not in numbers and report not in known:
            yield "there is a history whose case is gone"
    for name in manifests.rolled_back(session, keys):
        yield f"the list of {name} is older than the audit log says"


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


def _known(session: Session) -> dict[bytes, dict[str, int]]:
    """Return the heads that the audit log names, each with its line, by case."""
    found: dict[bytes, dict[str, int]] = {}
    acts = select(AuditLine).where(col(AuditLine.code).startswith("case."))
    for line in session.exec(acts.order_by(col(AuditLine.seq))):
        if line.report is not None and line.seq is not None:
            found.setdefault(line.report, {}).setdefault(line.detail, line.seq)
    return found
