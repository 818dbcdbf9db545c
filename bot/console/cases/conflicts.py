"""A conflict of interest: declared by an officer, settled by a member with a new key."""

from collections.abc import Sequence

from sqlmodel import Session
from starlette.responses import Response

from bot.console import access, changes
from bot.console.visit import SeeOther, Visit
from handlers.cases import conflicts as verbs
from handlers.errors import Changed
from storage.cases import conflicts
from storage.cases.case_version import Part
from storage.models import Case, Unit
from storage.rekeying import case_keys
from storage.units import memberships

_DEPENDS = frozenset({Part.UNIT, Part.CONFLICTS})


def form(visit: Visit) -> Response:
    """Say what a declaration does, and ask once more."""
    return _show(visit)


def declare(visit: Visit) -> Response:
    """Bar the officer from the case; from here on it does not exist for them."""
    if visit.form.get("sure") != "yes":
        return _show(visit, unsure=True, status=422)
    try:
        visit.act(access.on_case, visit, verbs.declare, {}, _DEPENDS)
    except Changed as error:
        return _show(visit, changed=error.detail.split(), status=409)
    return SeeOther("/?declared=yes")


def settle_all(visit: Visit) -> Response:
    """Give their own keys to all cases of the officer's units that wait for one."""
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        mine = memberships.units_of(session, keys, visit.officer)
        due = waiting(visit, session, mine)
    for case in due:
        _settle(visit, case)
    return SeeOther("/?resealed=yes")


def settle(visit: Visit) -> None:
    """Do what is due on the case of this address, before its contents are opened."""
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, visit.request.path_params["number"])
        due = _is_ours_to_do(visit, session, found)
    if due:
        _settle(visit, found)


def waiting(visit: Visit, session: Session, mine: list[Unit]) -> list[Case]:
    """Return the cases that wait for the session of a member such as this officer."""
    declared = conflicts.in_units(session, [unit.id for unit in mine])
    return [case for case in declared if _is_ours_to_do(visit, session, case)]


def _is_ours_to_do(visit: Visit, session: Session, case: Case) -> bool:
    """Tell whether there is work on a case, and this officer holds the key for it."""
    keys, me = visit.console.office.keys, visit.officer.id
    if me not in {one.id for one in case_keys.holders(session, keys, case)}:
        return False
    newcomers = case_keys.without_key(session, keys, case)
    if me in {one.id for one in newcomers}:
        return False
    return bool(newcomers) or case_keys.needs_pair(session, keys, case)


def _settle(visit: Visit, case: Case) -> None:
    visit.act(verbs.settle, case.report, visit.secret, by=visit.officer)


def _show(
    visit: Visit,
    *,
    unsure: bool = False,
    changed: Sequence[str] = (),
    status: int = 200,
) -> Response:
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        found, unit = access.find(visit, session, visit.request.path_params["number"])
        others = [
            officer
            for officer in case_keys.holders(session, keys, found)
            if officer.id != visit.officer.id
        ]
        for_form = changes.for_form(visit, session, found, changed)
    return visit.page(
        "cases/conflict.html",
        status=status,
        case=found,
        unit=unit,
        others=len(others),
        unsure=unsure,
        problem="Changed" if changed else "",
        **for_form,
    )
