"""One case: read it, and see which steps are open."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.responses import Response

from bot.console import access
from bot.console.cases import conflicts, data_requests
from bot.console.evidence import contents
from bot.console.reveals import opening
from bot.console.visit import Visit
from handlers.cases import holds
from handlers.notices import undelivered
from handlers.rules import numbering
from storage.cases import history
from storage.models import Case, Event
from storage.people import officers
from storage.words import EventCode, Reason, Role, Status

DONE = frozenset(
    {"moved", "proposed", "asked", "noted", "taken", "let_go", "reveal_ended"}
    | {"held", "released", "answered", "erasure_proposed"}
)

_TROUBLE = frozenset({EventCode.UNREACHABLE, EventCode.UNTOLD})
"""Events whose detail is a provider's code."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """An event, who did it, what its detail says in words, how often on end."""

    event: Event
    who: str
    what: str
    times: int = 1


def case(visit: Visit) -> Response:
    """Show a case; that it was read is written into its history first."""
    done = visit.query.get("done", "")
    return show(visit, done=done if done in DONE else "")


def show(
    visit: Visit,
    *,
    done: str = "",
    problem: str = "",
    typed: str = "",
    field: str = "",
    status: int = 200,
) -> Response:
    """Render the case; after a refused form with its problem and what was typed."""
    number = visit.request.path_params["number"]
    conflicts.settle(visit)
    access.record_reading(visit)
    with visit.console.database.reading() as session:
        found, unit = access.find(visit, session, number)
        opened = contents.read(visit, session, found)
        events = history.of_case(session, found.report)
        broken = history.first_broken(session, visit.console.office.keys, found)
        people = officers.names(session, visit.console.office.keys)
        asked = opening.lines(visit, session, found, people)
        own_data = data_requests.panel(visit, session, found, events)
    moves = [] if found.purged else _moves(visit, found)
    return visit.page(
        "cases/case.html",
        status=status,
        case=found,
        unit=unit,
        contents=opened,
        moment=contents.moment,
        lines=_together([_line(visit, event, people) for event in reversed(events)]),
        broken=broken,
        people=people,
        labels=tuple(visit.console.office.rulebook.evidence),
        reveals=asked,
        rights=own_data,
        held=holds.last(events) if found.hold else None,
        people_by_hex={key.hex(): name for key, name in people.items()},
        register=_register(found),
        left=(found.due - visit.console.office.day(visit.now)).days,
        moves=moves,
        reasons=_reasons(moves),
        may_confirm=_may_confirm(visit, found, moves),
        done=done,
        problem=problem,
        typed=typed,
        field=field,
    )


def _register(found: Case) -> str:
    """Return the internal register number, "" while the receipt is being made."""
    if found.register_year is None or found.register_number is None:
        return ""
    return numbering.register_number(found.register_year, found.register_number)


def _moves(visit: Visit, found: Case) -> list[tuple[Status, tuple[Reason, ...], bool]]:
    workflow = visit.console.office.rulebook.workflow
    before = Status(found.before) if found.before else None
    moves = workflow.moves(Status(found.status), Role(visit.officer.role), before)
    return [(move.to, move.reasons, move.four_eyes) for move in moves]


def _reasons(
    moves: list[tuple[Status, tuple[Reason, ...], bool]],
) -> list[tuple[Status, tuple[Reason, ...]]]:
    """Return the reasons that are open from here, under the step they belong to."""
    return [(to, reasons) for to, reasons, _ in moves if reasons]


def _may_confirm(
    visit: Visit, found: Case, moves: list[tuple[Status, tuple[Reason, ...], bool]]
) -> bool:
    return found.wanted_by not in {None, visit.officer.id} and any(
        to == found.wanted_status for to, _, _ in moves
    )


def _together(lines: list[HistoryLine]) -> list[HistoryLine]:
    """Join what one hand did several times on end in one moment or day."""
    joined: list[HistoryLine] = []
    for line in lines:
        last = joined[-1] if joined else None
        if last is not None and _same(last, line):
            joined[-1] = replace(last, times=last.times + 1)
        else:
            joined.append(line)
    return joined


def _same(one: HistoryLine, other: HistoryLine) -> bool:
    return (one.event.code, one.who, one.what, one.event.day, one.event.at) == (
        other.event.code,
        other.who,
        other.what,
        other.event.day,
        other.event.at,
    )


def _line(visit: Visit, event: Event, people: Mapping[bytes, str]) -> HistoryLine:
    words = visit.words()
    who = people.get(event.officer, "") if event.officer else ""
    status, _, reason = event.detail.partition(":")
    what = ""
    if status in set(Status):
        what = words.step(status, reason or None)
    elif event.code in opening.EVENTS:
        what = opening.detail(visit, event.detail)
    elif event.code in _TROUBLE:
        what = words.own(f"trouble.{undelivered.why(event.detail)}")
    elif event.detail:
        breach = status == "breach"
        what = words.own("detail.breach" if breach else f"detail.{event.detail}")
    return HistoryLine(event, who or words.own(f"actor.{event.actor_class}"), what)
