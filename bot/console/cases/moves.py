"""A step of a case: what it names, what the reporter will read of it, and then the step.

Nothing is done before the officer has seen the reporter's own text; a second officer sees
it too, beside the proposal.
"""

from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from bot.console import access, changes
from bot.console.cases import case as case_page
from bot.console.evidence import contents
from bot.console.visit import SeeOther, Visit
from handlers.cases import named as naming
from handlers.cases import officer
from handlers.cases.named import MOST_WORDS, Named
from handlers.errors import (
    Changed,
    KentonganError,
    NamedCaseUnknown,
    NameNeeded,
    NotFound,
    NotYours,
)
from handlers.rules.workflow import Names
from storage.cases import case_version, cases, history
from storage.cases.case_version import Part
from storage.models import Case
from storage.words import Reason, Role, Status

STEP = frozenset({Part.STATUS, Part.PROPOSAL, Part.OWNER, Part.UNIT, Part.CODES})
"""On what a step depends."""
ENDING = STEP | {Part.NEWS}
"""And one that ends the case: nobody closes over words that they have not read."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A step as an officer's form tells it."""

    to: Status
    reason: Reason | None
    names: Names | None
    named: Named | None

    @property
    def depends(self) -> frozenset[Part]:
        """Return what must be as it was shown."""
        return STEP if cases.is_open(self.to) else ENDING


def look(visit: Visit) -> Response:
    """Show what a step names and what the reporter will read; nothing is done yet."""
    try:
        wish = _wish(visit)
    except ValueError:
        return case_page.show(visit, problem="CHOOSE", field="to", status=422)
    try:
        _allowed(visit, wish)
    except (NameNeeded, NamedCaseUnknown) as error:
        return _show(visit, wish, problem=type(error).__name__, status=422)
    except (NotFound, NotYours):
        raise
    except KentonganError as error:
        return case_page.show(visit, problem=type(error).__name__, status=409)
    return _show(visit, wish)


def change_status(visit: Visit) -> Response:
    """Take a step; where four eyes are needed, propose it or confirm a proposal."""
    try:
        wish = _wish(visit)
    except ValueError:
        return case_page.show(visit, problem="CHOOSE", field="to", status=422)
    return _do(visit, wish)


def approve(visit: Visit) -> Response:
    """Confirm what a colleague proposed, with what they named."""
    number = visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, number)
        events = history.of_case(session, found.report)
        opened = contents.read(visit, session, found)
    if not found.wanted_status:
        return case_page.show(
            visit, problem="Changed", changed=("proposal",), status=409
        )
    to = Status(found.wanted_status)
    reason = Reason(found.wanted_reason) if found.wanted_reason else None
    names = visit.console.office.rulebook.workflow.names(to, reason)
    named = case_page.proposed(opened.named, case_version.proposal(events))
    return _do(visit, Wish(to, reason, names, named if names else None))


def _do(visit: Visit, wish: Wish) -> Response:
    arguments = {"to": wish.to, "reason": wish.reason, "named": wish.named}
    try:
        moved = visit.act(
            access.on_case, visit, officer.change_status, arguments, wish.depends
        )
    except NotYours:
        raise
    except NotFound as error:
        if not error.detail:
            raise
        return _again(visit, wish, "NO_RECEIPT")
    except KentonganError as error:
        changed = tuple(error.detail.split()) if isinstance(error, Changed) else ()
        return _again(visit, wish, type(error).__name__, changed)
    done = "proposed" if moved is False else "moved"
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")


def _again(
    visit: Visit, wish: Wish, problem: str, changed: tuple[str, ...] = ()
) -> Response:
    """Show the form again with what was typed in it, where there is one."""
    if visit.form.get("looked") or (wish.names and not _is_proposed(wish)):
        return _show(visit, wish, problem=problem, changed=changed, status=409)
    return case_page.show(visit, problem=problem, changed=changed, status=409)


def _is_proposed(wish: Wish) -> bool:
    return wish.named is not None and wish.named.proposal > 0


def _wish(visit: Visit) -> Wish:
    """Read a form; raises ValueError for a step, reason or day that there is not."""
    form = visit.form
    to = Status(form.get("to", ""))
    reason = Reason(form["reason"]) if form.get("reason") else None
    names = visit.console.office.rulebook.workflow.names(to, reason)
    named = None
    if names and form.get("names"):
        day = form.get("day", "")
        named = Named(
            case=form.get("other", "").strip().upper(),
            partner=form.get("partner", ""),
            day=date.fromisoformat(day) if day else None,
            words=form.get("words", "").replace("\r\n", "\n").strip(),
        )
    return Wish(to, reason, names, named)


def _allowed(visit: Visit, wish: Wish) -> None:
    """Raise what would forbid the step, but for a second officer."""
    number = visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, number)
        work = visit.work(session)
        named, office = wish.named, visit.console.office
        asks = named is None
        office.rulebook.workflow.check(
            Status(found.status),
            wish.to,
            role=Role(visit.officer.role),
            reason=wish.reason,
            before=Status(found.before) if found.before else None,
            approved_by_second=True,
            is_named=asks or _is_enough(visit, wish),
        )
        if wish.names is Names.CASE and named is not None:
            naming.refuse_unknown(work, found, named, by=visit.officer)


def _is_enough(visit: Visit, wish: Wish) -> bool:
    office = visit.console.office
    if wish.names is None or wish.named is None:
        return wish.names is None
    return wish.named.is_enough(wish.names, office, today=office.day(visit.now))


def _show(
    visit: Visit,
    wish: Wish,
    *,
    problem: str = "",
    changed: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    number = visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found, unit = access.find(visit, session, number)
        opened = contents.read(visit, session, found)
        for_form = changes.for_form(visit, session, found, changed)
    moves = {move.to: move for move in case_page.moves(visit, found)}
    ready = wish.to in moves and _is_enough(visit, wish) and problem not in _STOPS
    return visit.page(
        "cases/step.html",
        status=status,
        case=found,
        unit=unit,
        wish=wish,
        named=wish.named or Named(),
        partners=tuple(visit.console.office.rulebook.partners),
        most=MOST_WORDS,
        today=visit.console.office.day(visit.now),
        reads=reads(visit, found, opened.language, wish) if ready else (),
        ready=ready,
        open=wish.to in moves,
        four_eyes=wish.to in moves and moves[wish.to].four_eyes,
        problem=problem,
        **for_form,
    )


_STOPS = frozenset({"NameNeeded", "NamedCaseUnknown", "OthersCase"})


def reads(
    visit: Visit, found: Case, language: str, wish: Wish
) -> tuple[tuple[str, str], ...]:
    """Return what the reporter will read with number and code, by language."""
    return case_page.reads(visit, found, language, (wish.to, wish.reason), wish.named)
