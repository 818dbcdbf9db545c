"""What every report asks of units and routes, verified anew only when a row of theirs changed.

The rows themselves are read in each transaction. While they are, byte for byte, those that
were verified last, checking their tags again would say the same again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from storage.audit.manifests import Name
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database import transactions
from storage.database.statement import SQLITE, Statement
from storage.models import Route, Unit
from storage.units import readiness, routes, units

_KEPT = 8
"""Entrances that are remembered: one store has one, and its last few."""
_HOLD = Statement(
    "SELECT 1 FROM units WHERE id IN (SELECT unit FROM routes) {lock}",
    lock="ORDER BY id FOR SHARE",
)
_UNITS = Statement("SELECT id, name, kind, generation, public_key, tag FROM units")
_ROUTES = Statement(
    "SELECT id, category, province, position, priority, unit, tag FROM routes"
)
_LISTS = Statement("SELECT name, value, tag FROM settings WHERE name IN (:names*)")


@dataclass(frozen=True, slots=True)
class Entrance:
    """``problems`` keep every report away; ``routes`` are None where one was changed by hand."""

    problems: tuple[str, ...]
    routes: tuple[Route, ...] | None
    units: Mapping[bytes, Unit]

    def ways(self) -> tuple[Route, ...]:
        """Return the routes; raises NotAuthentic where one was changed by hand."""
        if self.routes is None:
            raise NotAuthentic
        return self.routes

    def unit(self, unit_id: bytes) -> Unit:
        """Return a unit that a route leads to; raises NotAuthentic for any other."""
        if unit_id not in self.units:
            raise NotAuthentic
        return self.units[unit_id]


_known: dict[tuple[Any, ...], Entrance] = {}


def present(session: Session, keys: ServerKeys, *, hold: bool = False) -> Entrance:
    """Return the entrance as it stands; its rows are copies, to be read only.

    ``hold``: the keys of its units stay the present ones until the commit. Whoever seals to
    them asks for that: otherwise an old secret could be dropped between seal and commit.
    """
    hold = hold and session.get_bind().dialect.name != SQLITE
    return transactions.once(
        session, ("entrance", hold), lambda: _read(session, keys, hold=hold)
    )


def _read(session: Session, keys: ServerKeys, *, hold: bool) -> Entrance:
    if hold:
        _HOLD(session)
    rows = _UNITS(session).all()
    stamp = (
        tuple(keys.sub_key(Purpose.TAG, key_id) for key_id in keys.ring),
        *(*rows, None),
        *(*_ROUTES(session).all(), None),
        *_LISTS(session, names=[Name.ROUTES.value, Name.PEOPLE.value]).all(),
    )
    found = _known.get(stamp)
    if found is None:
        found = _verify(session, keys, rows)
        if len(_known) >= _KEPT:
            _known.clear()
        _known[stamp] = found
    return found


def _verify(session: Session, keys: ServerKeys, rows: Sequence[Any]) -> Entrance:
    problems = readiness.ready(session, keys)
    try:
        ways = tuple(routes.verified_routes(session, keys))
    except NotAuthentic:
        return Entrance(tuple(problems), None, {})
    copies = {row.id: Unit(**row._asdict()) for row in rows}
    reached: dict[bytes, Unit] = {}
    for unit_id in {way.unit for way in ways} & set(copies):
        try:
            units.verified(session, keys, unit_id)
        except NotAuthentic:
            continue
        reached[unit_id] = copies[unit_id]
    return Entrance(
        tuple(problems),
        tuple(Route(**way.model_dump()) for way in ways),
        reached,
    )
