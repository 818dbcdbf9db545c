"""Re-sealing in a member's session: what still carries the unit's old key, a few at a time."""

from collections.abc import Sequence

from starlette.responses import Response

from bot.console.visit import SeeOther, Visit
from handlers.people import resealing
from storage.models import Unit
from storage.rekeying import unit_keys
from storage.units import memberships
from storage.words import UnitKind


def again(visit: Visit) -> Response:
    """Do the next few, and show the queue with what is left."""
    some(visit)
    return SeeOther("/")


def some(visit: Visit) -> int:
    """Re-seal a few cases of the officer's units; return how many still carry an old key."""
    due = _due(visit)
    for unit in due:
        visit.act(resealing.reseal, unit.id, visit.secret, by=visit.officer)
    if not due:
        return 0
    with visit.console.database.reading() as session:
        return sum(unit_keys.pending(session, unit) for unit in due)


def _due(visit: Visit) -> Sequence[Unit]:
    with visit.console.database.reading() as session:
        mine = memberships.units_of(session, visit.console.office.keys, visit.officer)
        return [
            unit
            for unit in mine
            if unit.kind == UnitKind.HANDLING and unit_keys.is_due(session, unit)
        ]
