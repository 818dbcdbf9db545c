"""What is missing before the bot may take reports."""

from sqlmodel import Session

from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.units import memberships, routes, units
from storage.words import UnitKind


def ready(session: Session, keys: ServerKeys) -> list[str]:
    """Return what is missing before the bot may take reports: one line a problem."""
    return transactions.once(session, ("ready",), lambda: _problems(session, keys))


def _problems(session: Session, keys: ServerKeys) -> list[str]:
    problems = []
    try:
        if units.vault(session, keys).public_key is None:
            problems.append("The vault has no key: enrol its first custodian.")
    except units.NoSuchUnit:
        problems.append("There is no vault: add one with `kentongan unit add`.")
    except NotAuthentic:
        problems.append("The vault's row was changed outside the program.")
    try:
        routed = routes.verified_routes(session, keys)
    except NotAuthentic:
        return [*problems, "A route was changed outside the program."]
    if not routed:
        problems.append("No route leads to a unit: add one with `kentongan unit add`.")
    for unit_id in dict.fromkeys(route.unit for route in routed):
        problems += _unit_problems(session, keys, unit_id)
    return problems


def _unit_problems(session: Session, keys: ServerKeys, unit_id: bytes) -> list[str]:
    try:
        unit = units.verified(session, keys, unit_id)
    except units.NoSuchUnit:
        return ["A route leads to a unit that does not exist."]
    except NotAuthentic:
        return ["A unit's row was changed outside the program."]
    if unit.public_key is None:
        return [f"Unit {unit.name} has no key: enrol its first member."]
    return []


def warnings(session: Session, keys: ServerKeys) -> list[str]:
    """Return what keeps no report away but must be mended: one line a warning.

    A unit that everybody left goes on taking reports, sealed to a key that only the
    recovery key still opens: turning reporters away would lose more.
    """
    found = []
    for unit in units.everything(session):
        try:
            units.require(session, keys, unit)
        except NotAuthentic:
            continue  # a problem, told by `ready`
        if unit.public_key is not None and not memberships.members(session, keys, unit):
            what = "The vault" if unit.kind == UnitKind.VAULT else f"Unit {unit.name}"
            of = "what it guards" if unit.kind == UnitKind.VAULT else "its cases"
            found.append(
                f"{what} has no member left: only the recovery key opens {of}."
            )
    return found
