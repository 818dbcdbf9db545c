"""Re-sealing in a member's session: what still carries the unit's old key, a few at a time."""

from collections.abc import Sequence

from sqlmodel import Session
from starlette.responses import Response

from bot.console.visit import SeeOther, Visit
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.models import Unit
from storage.rekeying import unit_keys
from storage.units import units
from storage.words import UnitKind


def again(visit: Visit) -> Response:
    """Do the next few, and show the queue with what is left."""
    some(visit)
    return SeeOther("/")


def some(visit: Visit) -> int:
    """Re-seal a few cases of the officer's units; return how many still carry an old key."""
    keys = visit.console.office.keys
    due = _due(visit)
    for unit in due:
        visit.write(_batch, keys, unit.id, visit)
    if not due:
        return 0
    with visit.console.database.reading() as session:
        return sum(unit_keys.pending(session, unit) for unit in due)


def _due(visit: Visit) -> Sequence[Unit]:
    with visit.console.database.reading() as session:
        mine = units.units_of(session, visit.console.office.keys, visit.officer)
        return [
            unit
            for unit in mine
            if unit.kind == UnitKind.HANDLING and unit_keys.is_due(session, unit)
        ]


def _batch(session: Session, keys: ServerKeys, unit: bytes, visit: Visit) -> None:
    """Re-seal, and drop a key that nothing names any more: one line of the log for each."""
    me = visit.officer
    done = unit_keys.batch(session, keys, unit, me, visit.secret)
    dropped = unit_keys.drop_old(session, keys, unit)
    lines = [("unit.resealed", done)] if done else []
    lines += [("unit.key_dropped", generation) for generation in dropped]
    for code, number in lines:
        detail = f"{unit.hex()}:{number}"
        log.record(session, keys, code, officer=me.id, detail=detail, now=visit.now)
