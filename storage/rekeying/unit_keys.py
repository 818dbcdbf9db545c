"""Re-sealing: what still carries a unit's old key is sealed to the present one.

What is due is no table: a grant whose generation is older than its unit's is due. Only
the session of a member can do it, because only a member opens the old generation. When
nothing names a generation any more its secret is deleted everywhere, the recovery
key's copy too.
"""

from sqlalchemy import ColumnElement, exists, func
from sqlalchemy import case as when
from sqlmodel import Session, col, delete, select

from storage.cases import reports
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import Case, Grant, Officer, Unit, UnitGrant
from storage.units import grants, memberships, rotation, units
from storage.words import UnitKind

BATCH = 25
"""Cases that one request seals anew: some tens of milliseconds."""


def pending(session: Session, unit: Unit) -> int:
    """Return how many cases of a unit carry an older key than the present one."""
    query = select(func.count(func.distinct(col(Grant.report)))).where(*_due(unit))
    return session.exec(query).one()


def is_due(session: Session, unit: Unit) -> bool:
    """Tell whether a member's session has anything to do: to re-seal, or to drop a key."""
    return bool(pending(session, unit) or _droppable(session, unit))


def report_secret(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    unit: Unit,
    officer: Officer,
    officer_secret: bytes,
) -> bytes:
    """Open a case's secret for a member, whichever generation its grant is sealed to.

    Raises NotAuthentic when no grant of ours leads there.
    """
    opening = Opening(session, keys, unit, officer, officer_secret)
    return reports.secret_for(session, keys, report, unit, opening.secret)


def batch(
    session: Session,
    keys: ServerKeys,
    unit_id: bytes,
    officer: Officer,
    officer_secret: bytes,
    *,
    limit: int = BATCH,
) -> int:
    """Re-seal up to ``limit`` cases, open ones first; return how many.

    A grant that does not open is left as it is. Raises NotAuthentic for whoever is no
    member.
    """
    unit = rotation.locked(session, keys, unit_id)
    opening = Opening(session, keys, unit, officer, officer_secret)
    open_first = when((col(Case.is_open).is_(True), 0), else_=1)
    rows = session.exec(
        select(Grant)
        .outerjoin(Case, col(Case.report) == col(Grant.report))
        .where(*_due(unit))
        .order_by(open_first, col(Case.urgency), col(Grant.report))
        .with_for_update(of=Grant, skip_locked=True)
    )
    done = 0
    for row in rows.all():
        if done == limit:
            break
        try:
            reports.reseal(session, keys, row, unit, opening.secret(row.generation))
        except NotAuthentic:
            continue
        done += 1
    session.flush()
    return done


def drop_old(session: Session, keys: ServerKeys, unit_id: bytes) -> list[int]:
    """Delete the secrets of generations that nothing names any more; return them.

    The unit is locked first: a draft that is being sealed to it counts. The vault's stay.
    """
    unit = rotation.locked(session, keys, unit_id)
    dropped = _droppable(session, unit)
    for generation in dropped:
        session.exec(
            delete(UnitGrant).where(
                col(UnitGrant.unit) == unit.id,
                col(UnitGrant.generation) == generation,
            )
        )
    return dropped


class Opening:
    """A unit's secrets as one member holds them, each opened once.

    Raises NotAuthentic for a unit that is not ours and for whoever is no member.
    """

    def __init__(
        self,
        session: Session,
        keys: ServerKeys,
        unit: Unit,
        officer: Officer,
        officer_secret: bytes,
    ) -> None:
        units.require(session, keys, unit)
        if not memberships.is_member(session, keys, unit, officer):
            raise NotAuthentic
        self._keys, self._unit, self._secret = keys, unit, officer_secret
        self._grants = grants.held_by(session, unit, officer)
        self._known: dict[int, bytes] = {}

    def secret(self, generation: int) -> bytes:
        """Return the secret of a generation. Raises NotAuthentic."""
        for grant in self._grants:
            if generation in self._known or grant.generation != generation:
                continue
            try:
                self._known[generation] = grants.opened(
                    self._keys, self._unit, grant, self._secret
                )
            except NotAuthentic:
                continue  # one that was planted beside the real one
        if generation not in self._known:
            raise NotAuthentic
        return self._known[generation]


def _due(unit: Unit) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Grant.recipient) == unit.id,
        col(Grant.generation) < unit.generation,
        col(Grant.wrapped).is_(False),
        ~exists()
        .where(col(Case.report) == col(Grant.report), col(Case.canary))
        .correlate(Grant),
    )


def _droppable(session: Session, unit: Unit) -> list[int]:
    if unit.kind == UnitKind.VAULT:
        return []
    old = session.exec(
        select(UnitGrant.generation)
        .where(UnitGrant.unit == unit.id, col(UnitGrant.generation) < unit.generation)
        .distinct()
    )
    return [number for number in sorted(old) if not _is_named(session, unit, number)]


def _is_named(session: Session, unit: Unit, generation: int) -> bool:
    """Tell whether a report, sent or not, is sealed to this generation; by the index."""
    query = select(Grant.id).where(
        Grant.recipient == unit.id, Grant.generation == generation
    )
    return session.exec(query.limit(1)).first() is not None
