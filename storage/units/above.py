"""Above us: the unit that gets what names the head of the region or our own people.

It is a handling unit like another, with at least two people, from outside the house if
possible. Nobody else finds a trace of its cases, so counts and lists leave them out.
"""

from sqlmodel import Session

from storage.audit import installation
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import Route, Unit
from storage.units import memberships, routes, units
from storage.words import CONFLICTED, UnitKind

_SETTING = "above"
LEAST_MEMBERS = 2
NOBODY = (
    "There is no unit above us: a report about the head of the region or about our own "
    "people reaches our own people. Name one with `kentongan unit above`."
)


class NotAbove(Exception):
    """Only a handling unit with two members or more can be the one above us."""


def choose(session: Session, keys: ServerKeys, unit: Unit) -> list[Route]:
    """Let a verified unit be the one above us, with a route for every conflict class.

    Returns the routes that were new. Raises NotAbove, NotAuthentic.
    """
    is_handling = unit.kind == UnitKind.HANDLING
    if not is_handling or len(memberships.members(session, keys, unit)) < LEAST_MEMBERS:
        raise NotAbove
    installation.set_setting(session, keys, _SETTING, unit.id.hex())
    there = {
        route.position
        for route in routes.verified_routes(session, keys)
        if route.unit == unit.id
        and not (route.category or route.province or route.priority)
    }
    return [
        routes.add_route(session, keys, unit, position=position)
        for position in sorted(CONFLICTED - there)
    ]


def find(session: Session, keys: ServerKeys) -> Unit | None:
    """Return the verified unit above us, None where there is none.

    Raises NotAuthentic, ``units.NoSuchUnit``.
    """
    chosen = id_of(session, keys)
    return units.verified(session, keys, chosen) if chosen else None


def id_of(session: Session, keys: ServerKeys) -> bytes | None:
    """Return the id of the unit above us, for what leaves its cases out.

    Raises NotAuthentic: where the fact was changed by hand nothing may be counted.
    """
    chosen = installation.get_setting(session, keys, _SETTING)
    return bytes.fromhex(chosen) or None


def missing(session: Session, keys: ServerKeys) -> list[str]:
    """Return what a way above lacks: one line a problem, none if it is whole.

    Reports are taken all the same: turning reporters away would lose more.
    """
    try:
        unit = find(session, keys)
        ways = routes.verified_routes(session, keys)
    except (NotAuthentic, units.NoSuchUnit):
        return ["The unit above us was changed outside the program."]
    if unit is None:
        return [NOBODY]
    problems = []
    if len(memberships.members(session, keys, unit)) < LEAST_MEMBERS:
        problems.append(f"Unit {unit.name}, above us, has fewer than two members.")
    wide = {
        way.position
        for way in ways
        if way.unit == unit.id and not (way.category or way.province)
    }
    problems += [
        f"Reports on class {position} have no route of their own to {unit.name}, above us."
        for position in sorted(CONFLICTED - wide)
    ]
    problems += [
        f"A route sends reports on class {way.position} past the unit above us."
        for way in ways
        if way.position in CONFLICTED and way.unit != unit.id
    ]
    return problems
