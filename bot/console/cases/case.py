"""One case: read it, and see which steps are open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response

from bot.console import access, changes
from bot.console.cases import (
    classification,
    conflicts,
    data_requests,
    handover,
)
from bot.console.evidence import contents
from bot.console.evidence.contents import Contents
from bot.console.reveals import opening
from bot.console.visit import Visit
from handlers import authority
from handlers.authority import Act
from handlers.cases import holds
from handlers.cases import named as naming
from handlers.cases.named import Named
from handlers.errors import NotFound
from handlers.notices import reporters, undelivered
from handlers.rules import numbering
from handlers.rules.workflow import Move
from storage.cases import case_version, history
from storage.cases.items import Content
from storage.models import Case, Event
from storage.people import officers
from storage.words import Channel, EventCode, Reason, Role, Status

DONE = frozenset(
    {"moved", "proposed", "asked", "noted", "taken", "let_go", "reveal_ended"}
    | {"handed_on", "taken_over"}
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
    """Show a case; that it was read is written into its history first.

    Whose unit handed it over is told so (``handover.former``).
    """
    done = visit.query.get("done", "")
    try:
        return show(visit, done=done if done in DONE else "")
    except NotFound:
        return handover.former(visit)


def show(
    visit: Visit,
    *,
    done: str = "",
    problem: str = "",
    typed: str = "",
    field: str = "",
    changed: Sequence[str] = (),
    twin: str = "",
    status: int = 200,
) -> Response:
    """Render the case; after a refused form with its problem and what was typed.

    ``changed`` are the parts that changed meanwhile; ``twin`` says who asked the same.
    """
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
        classed = classification.panel(visit, session, found, people)
        own_data = data_requests.panel(visit, session, found, events)
        for_form = changes.for_form(visit, session, found, changed)
        work = visit.work(session)
        acts = authority.acts(work, found, visit.officer)
        takers = authority.takers(work, found) if Act.HAND_ON in acts else []
    open_moves = [] if found.purged else moves(visit, found)
    proposal = _proposal(visit, found, opened, case_version.proposal(events))
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
        classed=classed,
        held=holds.last(events) if found.hold else None,
        people_by_hex={key.hex(): name for key, name in people.items()},
        register=_register(found),
        left=(found.due - visit.console.office.day(visit.now)).days,
        moves=open_moves if Act.MOVE in acts else [],
        reasons=_reasons(open_moves),
        may_confirm=_may_confirm(visit, found, open_moves) and proposal.is_whole,
        proposal=proposal,
        named=naming.latest_of(opened.named, Status(found.status)),
        acts=acts,
        takers=takers,
        others=bool(open_moves) and Act.MOVE not in acts,
        **for_form,
        twin=twin,
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


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a waiting proposal names, and what the reporter will read of it.

    ``is_whole`` unless something must be named and nothing readable is.
    """

    named: Named | None = None
    reads: tuple[tuple[str, str], ...] = ()
    is_whole: bool = True


def _proposal(visit: Visit, found: Case, opened: Contents, line: int) -> Proposal:
    if not found.wanted_status:
        return Proposal()
    step = (
        Status(found.wanted_status),
        Reason(found.wanted_reason) if found.wanted_reason else None,
    )
    named = proposed(opened.named, line)
    names = visit.console.office.rulebook.workflow.names(*step)
    whole = names is None or named is not None
    return Proposal(named, reads(visit, found, opened.language, step, named), whole)


def proposed(kept: Sequence[Content], line: int) -> Named | None:
    """Return what the proposal in this line of the history names."""
    found = (Named.of(one) for one in kept if one.version == line)
    return next(found, None)


def reads(
    visit: Visit,
    found: Case,
    language: str,
    step: tuple[Status, Reason | None],
    named: Named | None,
) -> tuple[tuple[str, str], ...]:
    """Return (language, text) of what the reporter will read after a step.

    In the language in which they wrote; in all of them where nobody knows it.
    """
    office = visit.console.office
    to, reason = step
    shown = []
    for one in (language,) if language in office.languages else office.languages:
        told = (
            reporters.after(
                office, found, to, reason, language=one, channel=Channel.TELEGRAM
            ),
            naming.reply(office, to, reason, named, language=one),
        )
        texts = [
            office.texts.render(reply, language=one, channel=Channel.TELEGRAM).text
            for reply in told
            if reply is not None
        ]
        shown.append((one, "\n\n".join(texts)))
    return tuple(shown)


def moves(visit: Visit, found: Case) -> tuple[Move, ...]:
    """Return the steps that are open to this officer's role."""
    workflow = visit.console.office.rulebook.workflow
    before = Status(found.before) if found.before else None
    return workflow.moves(Status(found.status), Role(visit.officer.role), before)


def _reasons(
    open_moves: Sequence[Move],
) -> list[tuple[Status, tuple[Reason, ...]]]:
    """Return the reasons that are open from here, under the step they belong to."""
    return [(move.to, move.reasons) for move in open_moves if move.reasons]


def _may_confirm(visit: Visit, found: Case, open_moves: Sequence[Move]) -> bool:
    return found.wanted_by not in {None, visit.officer.id} and any(
        move.to == found.wanted_status for move in open_moves
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
    elif event.code == EventCode.HANDED:
        what = {key.hex(): name for key, name in people.items()}.get(event.detail, "")
    elif event.code in opening.EVENTS:
        what = opening.detail(visit, event.detail)
    elif event.code == EventCode.HANDED_OVER:
        what = handover.said(visit, event)
    elif event.code in classification.EVENTS:
        what = classification.detail(visit, event.detail)
    elif event.code in _TROUBLE:
        what = words.own(f"trouble.{undelivered.why(event.detail)}")
    elif event.detail:
        breach = status == "breach"
        what = words.own("detail.breach" if breach else f"detail.{event.detail}")
    return HistoryLine(event, who or words.own(f"actor.{event.actor_class}"), what)
