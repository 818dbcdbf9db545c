"""What reporters asked about their own data: one open request of a kind for each report.

What was asked and answered stands in the case's history too, so a row that was deleted by
hand is missed (``are_whole``).
"""

import secrets
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from datetime import date

from sqlmodel import Session, col, select

from storage.crypto.sealing import Context, encode
from storage.crypto.server_key import ServerKeys
from storage.models import REAL, Case, DataRequest, Event
from storage.words import Erased, EventCode, RequestKind, RequestState


def ask(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    kind: RequestKind,
    *,
    day: date,
    answer_due: date,
    due: date,
) -> bool:
    """Keep a request; False where one of this kind is open already (its dates stand).

    Days are the agency's. Raises NotAuthentic for a planted one.
    """
    if any(row.kind == kind for row in open_of(session, keys, report)):
        return False
    row = DataRequest(
        id=secrets.token_bytes(16),
        report=report,
        kind=kind.value,
        state=RequestState.OPEN.value,
        day=day,
        answer_due=answer_due,
        due=due,
        tag=b"",
    )
    save(session, keys, row)
    return True


def of_report(session: Session, keys: ServerKeys, report: bytes) -> list[DataRequest]:
    """Return a report's requests, the first to be due first. Raises NotAuthentic."""
    query = select(DataRequest).where(DataRequest.report == report)
    rows = session.exec(query.order_by(col(DataRequest.due), col(DataRequest.id))).all()
    for row in rows:
        check(keys, row)
    return list(rows)


def open_of(session: Session, keys: ServerKeys, report: bytes) -> list[DataRequest]:
    """Return a report's requests that nobody answered yet. Raises NotAuthentic."""
    rows = of_report(session, keys, report)
    return [row for row in rows if row.state == RequestState.OPEN]


def lock(session: Session, keys: ServerKeys, request: bytes) -> DataRequest | None:
    """Load a verified request for change; the caller has locked its case."""
    query = select(DataRequest).where(DataRequest.id == request)
    row = session.exec(query.with_for_update()).first()
    if row is not None:
        check(keys, row)
    return row


def save(session: Session, keys: ServerKeys, row: DataRequest) -> None:
    """Write a request with a fresh tag."""
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()


def open_in(
    session: Session, units: Sequence[bytes], barred: Container[bytes] = ()
) -> list[tuple[DataRequest, Case]]:
    """Return the open requests of these units' cases, the first to be due first; unchecked.

    ``barred`` are reports that the reader may not see.
    """
    query = (
        select(DataRequest, Case)
        .join(Case, col(Case.report) == col(DataRequest.report))
        .where(
            REAL,
            DataRequest.state == RequestState.OPEN.value,
            col(Case.unit).in_(list(units)),
        )
        .order_by(col(DataRequest.due), col(DataRequest.id))
    )
    rows = session.exec(query).all()
    return [(row, case) for row, case in rows if case.report not in barred]


def are_whole(events: Iterable[Event], requests: Iterable[DataRequest]) -> bool:
    """Tell whether the open requests are those that the history tells of.

    They go with the code: whoever erased the receipt erased them too.
    """
    told = Counter[str]()
    for event in events:
        kind = event.detail.partition(":")[0]
        if event.code == EventCode.REQUESTED:
            told[kind] += 1
        elif event.code == EventCode.ANSWERED:
            told[kind] -= 1
        elif event.code == EventCode.PURGED and kind == Erased.RECEIPT:
            told.clear()
    return +told == Counter(row.kind for row in requests)


def check(keys: ServerKeys, row: DataRequest) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row), _content(row))


def _content(row: DataRequest) -> bytes:
    return encode(
        row.kind.encode(),
        row.state.encode(),
        row.day.isoformat().encode(),
        row.answer_due.isoformat().encode(),
        row.due.isoformat().encode(),
        row.officer or b"",
    )


def _context(row: DataRequest) -> Context:
    return Context("data_requests", row.id, "tag", row.report)
