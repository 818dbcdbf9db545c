"""What a form was made for, and what changed in its case since then, in words."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from bot.console.visit import Visit
from storage.cases import case_version, history
from storage.cases.case_version import Part
from storage.models import Case, Event
from storage.people import officers
from storage.words import EventCode


def for_form(
    visit: Visit, session: Session, found: Case, changed: Sequence[str] = ()
) -> Mapping[str, object]:
    """Return what each form about a case is rendered with: its version, and what changed."""
    events = history.of_case(session, found.report)
    people = officers.names(session, visit.console.office.keys)
    return {
        "version": case_version.write(case_version.of(found, events)),
        "changed": lines(visit, found, events, people, changed),
    }


def lines(
    visit: Visit,
    found: Case,
    events: Sequence[Event],
    people: Mapping[bytes, str],
    changed: Sequence[str],
) -> tuple[str, ...]:
    """Say of each part that changed how it is now, and who did it."""
    return tuple(_line(visit, found, events, people, part) for part in changed)


def _line(
    visit: Visit,
    found: Case,
    events: Sequence[Event],
    people: Mapping[bytes, str],
    part: str,
) -> str:
    words, say = visit.words(), visit.say
    if part == Part.STATUS:
        step = words.step(found.status, found.reason)
        return say("changed.status", step=step, by=_by(visit, events, people))
    if part == Part.PROPOSAL and found.wanted_status:
        step = words.step(found.wanted_status, found.wanted_reason)
        return say("changed.proposal", step=step, who=_who(found.wanted_by, people))
    if part == Part.OWNER and found.officer:
        return say("changed.owner", who=_who(found.officer, people))
    plain: dict[str, str] = {
        Part.PROPOSAL: "no_proposal",
        Part.OWNER: "nobody",
        Part.HOLD: "held" if found.hold else "released",
    }
    return say(f"changed.{plain.get(part, part)}")


def _who(officer: bytes | None, people: Mapping[bytes, str]) -> str:
    return people.get(officer or b"", "–")  # noqa: RUF001 - a dash


def _by(visit: Visit, events: Sequence[Event], people: Mapping[bytes, str]) -> str:
    """Say who moved the case last, and when."""
    codes = {EventCode.STATUS, EventCode.WITHDRAWN, EventCode.ERASED, EventCode.PURGED}
    moved = next((event for event in reversed(events) if event.code in codes), None)
    if moved is None:
        return ""
    words = visit.words()
    who = people.get(moved.officer or b"", "") or words.own(
        f"actor.{moved.actor_class}"
    )
    at = words.moment(moved.at) if moved.at else words.short_day(moved.day)
    return f"{who}, {at}"
