"""Data breaches that became known, and who was told of each when (D22)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, func, select

from storage.crypto.sealing import Context, encode
from storage.crypto.server_key import ServerKeys
from storage.models import REAL, Breach, Case, Event, File, Item
from storage.words import Audience


@dataclass(frozen=True, slots=True)
class Figures:
    """What the authority is told in numbers: no name, number or content of a case."""

    cases: int
    reporters: int
    identities: int
    files: int


def add(session: Session, keys: ServerKeys, *, known: datetime) -> Breach:
    """Keep a breach that became known at ``known`` (UTC)."""
    row = Breach(
        id=secrets.token_bytes(16), known=known.replace(microsecond=0), tag=b""
    )
    save(session, keys, row)
    return row


def lock(session: Session, keys: ServerKeys, breach: bytes) -> Breach | None:
    """Load a verified breach for change. Raises NotAuthentic."""
    query = select(Breach).where(Breach.id == breach)
    row = session.exec(query.with_for_update()).first()
    if row is not None:
        check(keys, row)
    return row


def save(session: Session, keys: ServerKeys, row: Breach) -> None:
    """Write a breach with a fresh tag."""
    row.tag = keys.tag(_context(row), _content(row))
    session.add(row)
    session.flush()


def everything(session: Session, keys: ServerKeys) -> list[Breach]:
    """Return all breaches, the latest first. Raises NotAuthentic."""
    rows = session.exec(select(Breach).order_by(col(Breach.known).desc())).all()
    for row in rows:
        check(keys, row)
    return list(rows)


def figures(session: Session) -> Figures:
    """Count what a breach may concern."""

    def count(of: type[Case | File], *where: object) -> int:
        query = select(func.count()).select_from(of)
        return session.exec(query.where(*where)).one()  # type: ignore[arg-type]  # SQLAlchemy's conditions share no type

    named = select(func.count(func.distinct(col(Item.report)))).where(
        Item.audience == Audience.IDENTITY.value
    )
    return Figures(
        cases=count(Case, REAL),
        reporters=count(Case, REAL, col(Case.reporter_key).is_not(None)),
        identities=session.exec(named).one(),
        files=count(File),
    )


def concerned(session: Session, *, after: bytes, limit: int) -> Sequence[bytes]:
    """Return the next reports whose reporter can be told, behind one of them."""
    query = (
        select(Case.report)
        .where(REAL, col(Case.report) > after, col(Case.reporter_key).is_not(None))
        .order_by(col(Case.report))
        .limit(limit)
    )
    return session.exec(query).all()


def was_told(session: Session, case: Case, row: Breach) -> bool:
    """Tell whether a case's reporter was told of a breach."""
    query = select(Event.id).where(
        Event.report == case.report, Event.detail == mark(row)
    )
    return session.exec(query.limit(1)).first() is not None


def mark(row: Breach) -> str:
    """Return the detail by which a case's history names a breach."""
    return f"breach:{row.id.hex()}"


def check(keys: ServerKeys, row: Breach) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row), _content(row))


def _content(row: Breach) -> bytes:
    moments = (row.known, row.told_authority, row.told_reporters)
    return encode(*(_moment(one) for one in moments))


def _moment(value: datetime | None) -> bytes:
    return value.astimezone(UTC).isoformat().encode() if value else b""


def _context(row: Breach) -> Context:
    return Context("breaches", row.id, "tag")
