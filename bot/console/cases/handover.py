"""Handing a case over: the form, the target's key in words, and what the former unit sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.responses import Response

from bot.console import access, changes
from bot.console.visit import SeeOther, Visit
from handlers import authority
from handlers.cases import handover as verbs
from handlers.errors import (
    Changed,
    KentonganError,
    NoTarget,
    NotFound,
    NotYours,
    TargetChanged,
)
from handlers.rules import numbering
from storage.cases import cases, conflicts, history
from storage.cases.case_version import Part
from storage.crypto import fingerprints
from storage.models import Event
from storage.units import memberships, units

MOST = 1000
_ID = 32
_DEPENDS = frozenset(
    {Part.STATUS, Part.PROPOSAL, Part.OWNER, Part.UNIT, Part.CODES}
    | {Part.REQUESTS, Part.REVEALS, Part.CONFLICTS}
)
"""What goes along, and what ends."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form while it is filled in."""

    unit: str = ""
    reason: str = field(default="", repr=False)


def form(visit: Visit) -> Response:
    """Ask for the unit and the reason."""
    return _show(visit, Typed())


def hand_over(visit: Visit) -> Response:
    """Show the unit's key and what happens; done once that was confirmed with its words."""
    reason = visit.form.get("reason", "").replace("\r\n", "\n").strip()
    typed = Typed(visit.form.get("unit", ""), reason[:MOST])
    if not reason or len(reason) > MOST:
        return _show(
            visit, typed, problem="TOO_LONG" if reason else "EMPTY", status=422
        )
    words = visit.form.get("words", "")
    if not words:
        return _show(visit, typed, confirming=True)
    arguments = {
        "secret": visit.secret,
        "into": _id(typed.unit),
        "words": words,
        "text": reason,
    }
    try:
        visit.act(access.on_case, visit, verbs.hand_over, arguments, _DEPENDS)
    except (
        NotFound
    ):  # a form that was sent twice: the case is not the officer's any more
        return former(visit)
    except NotYours:
        raise
    except KentonganError as error:
        return _show(
            visit,
            typed,
            confirming=isinstance(error, TargetChanged),
            problem=type(error).__name__,
            changed=error.detail.split() if isinstance(error, Changed) else (),
            status=409,
        )
    return SeeOther(f"/cases/{visit.request.path_params['number']}")


def search(visit: Visit) -> Response:
    """Lead from a number, however it was typed, to the page of its case."""
    number = numbering.parse_case_number(visit.query.get("number", ""))
    if number is None:
        raise NotFound
    return SeeOther(f"/cases/{number}")


def former(visit: Visit) -> Response:
    """Tell a member of a unit that had the case whither it went, and when; nothing else.

    Raises NotFound for everybody else, and for whoever declared a conflict on it.
    """
    keys, number = visit.console.office.keys, visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found = cases.by_number(session, keys, number.upper())
        if found is None or conflicts.is_barred(
            session, found.report, visit.officer.id
        ):
            raise NotFound
        if history.first_broken(session, keys, found) is not None:
            raise NotFound
        mine = {one.id for one in memberships.units_of(session, keys, visit.officer)}
        left = [
            (event, units_of[1])
            for event in history.of_case(session, found.report)
            if (units_of := history.handed_over(event)) and units_of[0] in mine
        ]
        if not left:
            raise NotFound
        event, target = left[-1]
        unit = units.verified(session, keys, target).name
    return visit.page(
        "cases/handed_over.html", number=found.number, unit=unit, day=event.day
    )


def said(visit: Visit, event: Event) -> str:
    """Name the unit that a case went to, for its history."""
    between = history.handed_over(event)
    with visit.console.database.reading() as session:
        names = {unit.id: unit.name for unit in units.everything(session)}
    return names.get(between[1], "") if between else ""


def _show(
    visit: Visit,
    typed: Typed,
    *,
    confirming: bool = False,
    problem: str = "",
    changed: Sequence[str] = (),
    status: int = 200,
) -> Response:
    number = visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found, unit = access.find(visit, session, number)
        work = visit.work(session)
        if not authority.may_hand_over(work, found, visit.officer):
            raise NotYours
        for_form = changes.for_form(visit, session, found, changed)
        there, target = verbs.targets(work, found), None
        try:
            target = verbs.target(work, found, _id(typed.unit)) if confirming else None
        except NoTarget as error:
            problem, status = type(error).__name__, 409
    return visit.page(
        "cases/handover.html",
        status=status,
        case=found,
        unit=unit,
        targets=[(one.id.hex(), one.name) for one in there],
        target=target,
        key=fingerprints.words(target.public_key or b"") if target else "",
        typed=typed,
        problem=problem,
        most=MOST,
        **for_form,
    )


def _id(text: str) -> bytes:
    """Return an id from a form, b"" where it is none."""
    try:
        return bytes.fromhex(text) if len(text) == _ID else b""
    except ValueError:
        return b""
