"""Sets a case's status, and what is due next by the rules and the case's own history."""

from collections.abc import Iterable
from datetime import date, datetime

from handlers.office import Office
from handlers.rules.deadlines import Clock, Pause, pending
from handlers.work import Work
from storage.cases import cases, codes, history
from storage.models import Case, Event
from storage.words import EventCode, Group, Sp4n, Status, Track, Urgency


def enter(office: Office, case: Case, to: Status, now: datetime) -> None:
    """Put a case into a status; a case that ends has a day of that, one that goes on has none.

    Every end of a case passes here: from this day its lives count. The caller saves the row.
    """
    case.status = to.value
    case.is_open = cases.is_open(to)
    case.closed = None if case.is_open else office.day(now)


def set_due(work: Work, case: Case) -> None:
    """Set a case's ``due`` and ``due_rule``; the caller saves the row."""
    set_by(work, case, history.of_case(work.store, case.report))


def set_by(work: Work, case: Case, events: Iterable[Event]) -> None:
    """Set what is due by these events, the case's history; none where it begins."""
    today = work.day
    entered = told = case.day
    pauses: list[Pause] = []
    began: date | None = None
    for event in events:
        if event.code in {EventCode.STATUS, EventCode.ASKED}:
            told = event.day
        if event.code != EventCode.STATUS:
            continue
        entered = event.day
        if began is not None:
            pauses.append(Pause(began, event.day))
            began = None
        if event.detail == Status.NEEDS_INFO:
            began = event.day
    if began is not None:
        pauses.append(Pause(began, today))
    sp4n = codes.read(work.keys, case).get("sp4n")
    clock = Clock(
        status=Status(case.status),
        group=Group(case.category),
        track=Track(case.track),
        urgency=Urgency(case.urgency),
        submitted=case.day,
        entered=entered,
        told=told,
        pauses=pauses,
        sp4n=Sp4n(sp4n) if sp4n else None,
    )
    running = pending(work.office.rulebook.deadlines.rules, clock, work.office.calendar)
    if running:
        case.due, case.due_rule = running[0].day, running[0].rule.id
    else:
        case.due, case.due_rule = today, ""
