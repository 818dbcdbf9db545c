"""Where reports come in: the routes, verified, and the units that a draft is sealed to."""

from sqlmodel import Session

from handlers.office import Office
from handlers.rules import routing
from storage.models import Unit
from storage.units import rotation
from storage.units import routes as table
from storage.words import Group, PositionClass


def routes(session: Session, office: Office) -> tuple[routing.Route, ...]:
    """Return the verified routes as the rules read them; unit ids as hex."""
    return tuple(
        routing.Route(
            group=Group(row.category) if row.category else None,
            province=row.province or None,
            position=PositionClass(row.position) if row.position else None,
            unit_id=row.unit.hex(),
            priority=row.priority,
        )
        for row in table.verified_routes(session, office.keys)
    )


def entry_units(session: Session, office: Office) -> list[Unit]:
    """Return the verified units that a report may reach; raises NoDefaultRoute.

    Their keys stay the present ones until the commit: a draft is about to be sealed to them.
    """
    return [
        rotation.held(session, office.keys, bytes.fromhex(unit_id))
        for unit_id in routing.entry_units(routes(session, office))
    ]
