"""What reporters may ask about their own data, and until when it is answered (D23 to D25).

A request is a row, a line of the case's history and an alert; officers answer it in
``handlers.cases.data_requests``. An open request to restrict is itself the mark that the use of the
report is restricted.
"""

from datetime import date, datetime

from sqlmodel import Session

from handlers.cases import reporter
from handlers.notices import reporters as notices
from handlers.office import Office
from handlers.rules.deadlines import due
from handlers.talk.state import Promises
from storage.cases import cases, data_requests, history
from storage.cases import items as report_items
from storage.words import EventCode, RequestKind

ANSWERED_BY = {
    RequestKind.ERASE: "D25A",
    RequestKind.RESTRICT: "D23",
    RequestKind.ACCESS: "D24",
    RequestKind.CORRECT: "D24",
}
DONE_BY = {**ANSWERED_BY, RequestKind.ERASE: "D25"}
RULES = frozenset({*ANSWERED_BY.values(), *DONE_BY.values()})
"""The deadlines that no copy of the rules may leave out: the law gives these rights."""


def deadline(office: Office, rule: str, day: date) -> date:
    """Return the last day of a rule that counts from ``day`` on."""
    return due(office.rulebook.deadlines[rule], day, office.calendar)


def promises(
    session: Session, office: Office, report: bytes | None, *, now: datetime
) -> Promises:
    """Return what a reporter may be told of each request to an opened report.

    An erasure is promised for the day on which the last backup of it is gone too.
    """
    if report is None:
        return Promises()
    day = office.day(now)
    dates = {kind: deadline(office, rule, day) for kind, rule in DONE_BY.items()}
    dates[RequestKind.ERASE] += office.backups
    case = cases.get(session, office.keys, report)
    held = case is not None and case.hold and report_items.has_identity(session, report)
    return Promises(
        {kind.value: day.strftime("%d/%m/%Y") for kind, day in dates.items()}, held
    )


def ask(
    session: Session, office: Office, report: bytes, kind: RequestKind, *, now: datetime
) -> None:
    """Take a request of whoever holds the code; asking twice changes no date.

    Who wants everything erased is forgotten at once: contact and identity go.
    """
    if kind is RequestKind.ERASE:
        reporter.erase(session, office, report, now=now)
    case = cases.lock(session, office.keys, report)
    if case is None:
        return
    day = office.day(now)
    if not data_requests.ask(
        session,
        office.keys,
        report,
        kind,
        day=day,
        answer_due=deadline(office, ANSWERED_BY[kind], day),
        due=deadline(office, DONE_BY[kind], day),
    ):
        return
    history.append(
        session,
        office.keys,
        case,
        EventCode.REQUESTED,
        by=history.REPORTER,
        day=day,
        detail=kind.value,
    )
    cases.save(session, office.keys, case)
    notices.alert(session, office, case, text="ALERT.REQUEST", now=now)
