"""Rows that a history or a list tells of, and that are not there: somebody took them away.

A tag cannot show that. What was erased meanwhile is not missed: the line that says so
stands in the same history.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.cases import data_requests, history, reveals
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import (
    AuditLine,
    Case,
    DataRequest,
    Event,
    Passkey,
    RecoveryCode,
    Reveal,
    SecondFactor,
    Tombstone,
)
from storage.people import one_time_codes, passkeys, recovery_codes
from storage.words import Erased, EventCode, RequestState

REPLAYED = "retention.replayed"
"""An act of the log: what a tombstone of an older day told of was erased once more."""


def factors_gone(session: Session, keys: ServerKeys) -> Iterator[str]:
    """Say whether the list of factors names a row that is not there."""
    try:
        named = manifests.present(session, keys, Name.FACTORS).rows
    except NotAuthentic:
        return  # told by the tag of the setting
    if named - {manifests.name_of(one) for one in _factors(session, keys)}:
        yield "second factors, recovery codes, passkeys: rows gone or put back by hand"


def of_case(
    session: Session, case: Case, *, since: date | None = None
) -> Iterator[str]:
    """Say what a case's history tells of that is not there, one line a kind.

    Tombstones are looked for from the day ``since`` on: older ones are dropped.
    """
    events = history.of_case(session, case.report)
    if not data_requests.are_whole(events, _open_requests(session, case)):
        yield f"case {case.number}: requests about data gone or added by hand"
    there = session.exec(select(Reveal).where(Reveal.report == case.report))
    if _open_reveals(events) - {reveals.short(row) for row in there}:
        yield f"case {case.number}: reveals gone by hand"
    if since is not None and _erased(session, case, events, since):
        yield f"case {case.number}: tombstones gone by hand"


def _factors(session: Session, keys: ServerKeys) -> Iterator[bytes]:
    """Yield what the list of factors may name, of the rows that are there."""
    for row in session.exec(select(SecondFactor)):
        yield one_time_codes._has(row.officer)  # noqa: SLF001 - as the list names it
        yield one_time_codes._row(row)  # noqa: SLF001 - as the list names it
    codes = session.exec(select(RecoveryCode))
    yield from map(recovery_codes._row, codes)  # noqa: SLF001 - as the list names it
    for passkey in session.exec(select(Passkey)):
        try:
            found = passkeys._read(keys, passkey)  # noqa: SLF001 - as the list names it
        except NotAuthentic:
            continue
        yield passkeys._counted(passkey.officer, found)  # noqa: SLF001 - as the list names it


def _open_requests(session: Session, case: Case) -> Sequence[DataRequest]:
    query = select(DataRequest).where(
        DataRequest.report == case.report,
        DataRequest.state == RequestState.OPEN.value,
    )
    return session.exec(query).all()


def _open_reveals(events: Iterable[Event]) -> set[str]:
    """Return the short ids of reveals that were asked and have not ended."""
    told: set[str] = set()
    for event in events:
        name = event.detail.rpartition(":")[2]
        if history.erases(event):
            told.clear()  # whoever erases ends them without a line for each
        elif event.code == EventCode.REVEAL_ASKED:
            told.add(name)
        elif event.code == EventCode.REVEAL_ENDED:
            told.discard(name)
    return told


def _erased(session: Session, case: Case, events: Iterable[Event], since: date) -> bool:
    """Tell whether the first erasure of something has no tombstone."""
    ends = {EventCode.PURGED, EventCode.ERASED}
    first: dict[str, date] = {}
    for event in events:
        if event.code in ends and event.detail in set(Erased):
            first.setdefault(event.detail, event.day)
    stones = select(Tombstone.what).where(Tombstone.report == case.report)
    again = select(AuditLine.detail).where(
        AuditLine.report == case.report, col(AuditLine.code) == REPLAYED
    )
    there = Counter([*session.exec(stones), *session.exec(again)])
    return any(day >= since and what not in there for what, day in first.items())
