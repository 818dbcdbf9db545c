"""Who waits: officers before a unit, and accounts without a unit until they are confirmed.

An officer who applied waits until a member compares words and admits them. An invited
admin or auditor, whom no unit admits, stays unconfirmed until an officer compares
words. The list of people names everyone who waits: a row that is not ours, or that was
refused and put back, counts nothing.
"""

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name, name_of
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import ServerKeys
from storage.models import Application, Officer, Unit
from storage.people import officers
from storage.units import memberships, units


class NotWaiting(Exception):
    """Nobody of this name waits before this unit, or not any more."""


def apply(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> None:
    """Let an officer wait before a unit. Raises ``memberships.WrongHouse``, ``HasMembers``."""
    memberships.may_join(session, keys, unit, officer)
    if session.get(Application, (unit.id, officer.id)) is not None:
        drop(session, keys, unit.id, officer.id)
    row = Application(unit=unit.id, officer=officer.id, tag=b"")
    row.tag = keys.tag(_context(row), b"waits")
    session.add(row)
    session.flush()
    manifests.change(session, keys, Name.PEOPLE, into=[_row(row)])


def remember_inviter(
    session: Session, keys: ServerKeys, officer: Officer, inviter: Officer
) -> None:
    """Let the list of people say for good who invited an officer; no row holds it."""
    into = [invited(officer.id, inviter.id)]
    manifests.change(session, keys, Name.PEOPLE, into=into)


def is_invited_by(
    session: Session, keys: ServerKeys, officer: Officer, other: Officer
) -> bool:
    """Tell whether an officer came by the other one's invitation. Raises NotAuthentic."""
    known = manifests.present(session, keys, Name.PEOPLE).rows
    return name_of(invited(officer.id, other.id)) in known


def invited(officer: bytes, inviter: bytes) -> bytes:
    """Return an invitation that was used as the list of people names it."""
    return encode(b"invited", officer, inviter)


def waiting(session: Session, keys: ServerKeys, unit: Unit) -> list[Officer]:
    """Return who waits before a unit, each row checked, by login."""
    rows = session.exec(
        select(Application, Officer)
        .join(Officer, col(Officer.id) == col(Application.officer))
        .where(Application.unit == unit.id)
        .order_by(col(Officer.login))
    ).all()
    return [
        officer
        for row, officer in rows
        if officer.active and _counts(session, keys, row, officer)
    ]


def homes(session: Session, keys: ServerKeys, officer: Officer) -> list[Unit]:
    """Return the units before which an officer waits."""
    rows = session.exec(
        select(Application).where(Application.officer == officer.id)
    ).all()
    return [
        units.verified(session, keys, row.unit)
        for row in rows
        if _counts(session, keys, row, officer)
    ]


def require(session: Session, keys: ServerKeys, unit: Unit, officer: Officer) -> None:
    """Raise NotWaiting unless this officer waits before this unit."""
    row = session.get(Application, (unit.id, officer.id))
    if row is None or not _counts(session, keys, row, officer):
        raise NotWaiting


def drop(session: Session, keys: ServerKeys, unit: bytes, officer: bytes) -> None:
    """Let somebody wait no more: admitted, refused, or gone."""
    row = session.get(Application, (unit, officer))
    if row is None:
        return
    if name_of(_row(row)) in manifests.present(session, keys, Name.PEOPLE).rows:
        manifests.change(session, keys, Name.PEOPLE, out=[_row(row)])
    session.delete(row)
    session.flush()


def drop_all(session: Session, keys: ServerKeys, officer: bytes) -> None:
    """Delete every application of an officer."""
    rows = select(Application.unit).where(Application.officer == officer)
    for unit in session.exec(rows).all():
        drop(session, keys, unit, officer)


def check(keys: ServerKeys, row: Application) -> None:
    """Raise NotAuthentic unless this row was written by us."""
    keys.check_tag(row.tag, _context(row), b"waits")


def _counts(
    session: Session, keys: ServerKeys, row: Application, officer: Officer
) -> bool:
    try:
        check(keys, row)
        manifests.require(session, keys, Name.PEOPLE, _row(row))
        officers.require(session, keys, officer)
    except NotAuthentic:
        return False
    return True


def _row(row: Application) -> bytes:
    return encode(b"application", row.unit, row.officer)


def _context(row: Application) -> Context:
    return Context("applications", encode(row.unit, row.officer), "tag")


class NotUnconfirmed(Exception):
    """The account is confirmed already, has ended, or never waited."""


def leave_unconfirmed(session: Session, keys: ServerKeys, officer: Officer) -> None:
    """Let a new account open nothing until it is confirmed."""
    manifests.change(session, keys, Name.PEOPLE, into=[unconfirmed(officer.id)])


def is_unconfirmed(session: Session, keys: ServerKeys, officer: bytes) -> bool:
    """Tell whether an account still waits to be confirmed. Raises NotAuthentic."""
    known = manifests.present(session, keys, Name.PEOPLE).rows
    return name_of(unconfirmed(officer)) in known


def unconfirmed_accounts(session: Session, keys: ServerKeys) -> list[Officer]:
    """Return the active accounts that wait, each checked, by login."""
    return [
        officer
        for officer in officers.everyone(session)
        if officer.active
        and is_unconfirmed(session, keys, officer.id)
        and officers.counts(session, keys, officer)
    ]


def confirm(session: Session, keys: ServerKeys, officer: bytes) -> None:
    """Let an account wait no more: confirmed, or ended. Who does not wait is no error."""
    if is_unconfirmed(session, keys, officer):
        manifests.change(session, keys, Name.PEOPLE, out=[unconfirmed(officer)])


def unconfirmed(officer: bytes) -> bytes:
    """Return a waiting account as the list of people names it."""
    return encode(b"unconfirmed", officer)
