"""The secrets of units and reports, opened as the program opens them."""

from sqlmodel import Session

from storage.cases import reports
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, Unit
from storage.rekeying.unit_keys import Opening


def unit_secret(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    officer: Officer,
    officer_secret: bytes,
    generation: int | None = None,
) -> bytes:
    """Open a unit's secret of one generation (None: the present one) for a member."""
    opening = Opening(session, keys, unit, officer, officer_secret)
    return opening.secret(unit.generation if generation is None else generation)


def secret_for(
    session: Session, keys: ServerKeys, report: bytes, unit: Unit, secret: bytes
) -> bytes:
    """Open a report's secret with its unit's secret of every generation."""
    return reports.secret_for(session, keys, report, unit, lambda _generation: secret)
