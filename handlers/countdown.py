"""A case's next deadline, from the rules and the case's own history."""

from datetime import date, datetime

from sqlmodel import Session

from handlers.deadlines import Clock, Pause, pending
from handlers.office import Office
from storage import history
from storage.models import Case
from storage.words import EventCode, Group, Status, Track, Urgency


def set_due(session: Session, office: Office, case: Case, now: datetime) -> None:
    """Set a case's ``due`` and ``due_rule``; the caller saves the row."""
    today = office.day(now)
    entered = told = case.day
    pauses: list[Pause] = []
    began: date | None = None
    for event in history.of_case(session, case.report):
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
    clock = Clock(
        status=Status(case.status),
        group=Group(case.category),
        track=Track(case.track),
        urgency=Urgency(case.urgency),
        submitted=case.day,
        entered=entered,
        told=told,
        pauses=pauses,
    )
    running = pending(office.rulebook.deadlines, clock, office.calendar)
    if running:
        case.due, case.due_rule = running[0].day, running[0].rule.id
    else:
        case.due, case.due_rule = today, ""
