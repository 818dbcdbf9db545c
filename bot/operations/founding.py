"""Founds an installation: recovery keys, the vault, the first unit, a default route.

All in the caller's one transaction, so that an installation is founded or it is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from storage.audit import installation, log, manifests
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, Setting, Unit
from storage.people import officers
from storage.people.officers import NewAccount
from storage.units import above, grants, memberships, routes, units
from storage.units import recovery_keys as recovery
from storage.words import UnitKind

AGENCY, DEMO = "agency", "demo"
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Founding:
    """What is needed. ``recovery`` are the public halves, ``cases`` and ``identities``.

    ``above`` names the unit above us, for ``above_people``: two or more, or nobody yet.
    """

    agency: str
    unit: str
    vault: str
    officer: NewAccount
    custodian: NewAccount
    recovery: Mapping[str, bytes] = field(repr=False)
    above: str = ""
    above_people: Sequence[NewAccount] = ()
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Founded:
    """What came of it. ``secret`` is the unit's, for the founder's present act only."""

    unit: Unit
    officer: Officer
    custodian: Officer
    secret: bytes = field(repr=False)


def is_founded(session: Session) -> bool:
    """Tell whether there is a house, without any key."""
    return session.get(Setting, AGENCY) is not None


def agency_of(session: Session, keys: ServerKeys) -> str:
    """Return whose house this is; empty before it was founded. Raises NotAuthentic."""
    return installation.get_setting(session, keys, AGENCY)


def found(
    session: Session, keys: ServerKeys, founding: Founding, *, now: datetime
) -> Founded:
    """Build the smallest house that may take reports."""
    installation.set_setting(session, keys, AGENCY, founding.agency)
    installation.set_setting(session, keys, DEMO, YES if founding.demo else NO)
    for purpose, public in sorted(founding.recovery.items()):
        recovery.add_recovery(session, keys, purpose, public)
    vault = units.create(session, keys, founding.vault, UnitKind.VAULT)
    unit = units.create(session, keys, founding.unit, UnitKind.HANDLING)
    custodian = officers.add(session, keys, founding.custodian)
    officer = officers.add(session, keys, founding.officer)
    memberships.admit_first(session, keys, vault, custodian)
    secret = memberships.admit_first(session, keys, unit, officer)
    routes.add_route(session, keys, unit)
    log.record(session, keys, "house.founded", officer=None, now=now)
    for code, who in (("vault.first", custodian), ("unit.first", officer)):
        log.record(session, keys, code, officer=who.id, now=now)
    if founding.above_people:
        name_above(session, keys, founding.above, founding.above_people, now=now)
    manifests.witness(session, keys, now=now)
    return Founded(unit, officer, custodian, secret)


def name_above(
    session: Session,
    keys: ServerKeys,
    name: str,
    people: Sequence[NewAccount],
    *,
    now: datetime,
) -> None:
    """Make the unit above us and its people, two or more, who begin together."""
    unit = units.create(session, keys, name, UnitKind.HANDLING)
    first, *others = [officers.add(session, keys, one) for one in people]
    secret = memberships.admit_first(session, keys, unit, first)
    for other in others:
        memberships.may_join(session, keys, unit, other)
        holder = grants.to_officer(other)
        grants.grant(session, keys, unit, holder, unit.generation, secret)
        memberships.join(session, keys, unit, other)
    above.choose(session, keys, unit)
    for who in (first, *others):
        log.record(session, keys, "unit.above", officer=who.id, now=now)
