"""A case's new pair: after a conflict of interest, or when it goes to another unit.

The report's secret is replaced, what it opens is sealed anew, and the new secret goes to
the other members one by one and to the recovery key, or to the other unit. What an
officer read before, or copied, stays with them; what comes after does not.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, select

from storage.cases import conflicts, items, reports
from storage.crypto import sealing
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.evidence import files
from storage.models import Case, File, Grant, Officer, Unit
from storage.rekeying import unit_keys
from storage.units import memberships, recovery_keys, units
from storage.words import Recipient, UnitKind


class NotGranted(Exception):
    """Nobody has given you this case's own key yet: another member has to open it first."""


def holders(session: Session, keys: ServerKeys, case: Case) -> list[Officer]:
    """Return the members of the case's unit who declared no conflict on it."""
    unit = units.verified(session, keys, case.unit)
    barred = conflicts.who_declared(session, case.report)
    members = memberships.members(session, keys, unit)
    return [officer for officer in members if officer.id not in barred]


def needs_pair(session: Session, keys: ServerKeys, case: Case) -> bool:
    """Tell whether somebody knows the case's secret who must not: a conflict, a member gone."""
    if conflicts.is_unsettled(session, case.report):
        return True
    known = {_key_of(officer) for officer in holders(session, keys, case)}
    return any(_names(row) not in known for row in _own(session, case.report))


def without_key(session: Session, keys: ServerKeys, case: Case) -> list[Officer]:
    """Return members who came after the new pair and hold it not; nobody without one."""
    rows = _own(session, case.report)
    had = {_names(row) for row in rows}
    if not had:
        return []
    return [o for o in holders(session, keys, case) if _key_of(o) not in had]


def is_held(
    session: Session, keys: ServerKeys, report: bytes, officer: Officer
) -> bool:
    """Tell whether a grant of ours names an officer's present key."""
    for row in _own(session, report):
        if _names(row) != _key_of(officer):
            continue
        try:
            reports.check_grant(keys, row)
        except NotAuthentic:
            continue  # one that was planted
        return True
    return False


def is_due(session: Session, keys: ServerKeys, case: Case) -> bool:
    """Tell whether a member's session has work to do on this case."""
    return bool(needs_pair(session, keys, case) or without_key(session, keys, case))


def secret_of(
    session: Session,
    keys: ServerKeys,
    case: Case,
    unit: Unit,
    officer: Officer,
    officer_secret: bytes,
) -> bytes:
    """Open a case's secret for a member: by their own grant, else by the unit's key.

    Raises NotGranted where the case has its own key and nobody gave it to this officer,
    NotAuthentic where no grant of ours leads there.
    """
    rows = _own(session, case.report)
    if not rows:
        return unit_keys.report_secret(
            session, keys, case.report, unit, officer, officer_secret
        )
    mine = [row for row in rows if _names(row) == _key_of(officer)]
    for row in mine:
        try:
            secret = reports.opened(keys, row, officer_secret)
        except NotAuthentic:
            continue  # one that was planted beside the real one
        if sealing.public_of(secret) == case.public_key:
            return secret
    raise NotAuthentic if mine else NotGranted


def renew(
    session: Session, keys: ServerKeys, case: Case, old_secret: bytes
) -> dict[bytes, bytes]:
    """Give a case a new pair and seal anew what the old one opened.

    Returns the hash of each item's new seal by its old one. The caller saves the case,
    names the new seals in the history and settles the conflicts. Raises NotAuthentic for
    a file that we did not write.
    """
    renamed, secret = _sealed_anew(session, keys, case, old_secret)
    offline = recovery_keys.key_for(session, keys, UnitKind.HANDLING)
    holder = (Recipient.RECOVERY, offline.id, offline.public_key)
    reports.grant_to(session, keys, case.report, holder, 0, secret)
    share(session, keys, case, holders(session, keys, case), secret)
    return renamed


def hand_over(
    session: Session, keys: ServerKeys, case: Case, old_secret: bytes, to: Unit
) -> dict[bytes, bytes]:
    """Give a case to a verified unit with a new pair, sealed to that unit's key.

    Where anybody declared a conflict the pair goes to the unit's other members one by one,
    so that nobody who is barred gets it with the unit's key, today or when they come to the
    unit later. Returns and raises as ``renew``.
    """
    case.unit = to.id
    if conflicts.was_declared(session, case.report):
        return renew(session, keys, case, old_secret)
    renamed, secret = _sealed_anew(session, keys, case, old_secret)
    reports.grant(session, keys, case.report, to, secret)
    session.flush()
    return renamed


def share(
    session: Session,
    keys: ServerKeys,
    case: Case,
    officers: Sequence[Officer],
    secret: bytes,
) -> None:
    """Seal a case's own secret to these members, whose rows are verified."""
    for officer in officers:
        holder = (Recipient.OFFICER, officer.id, officer.public_key)
        reports.grant_to(session, keys, case.report, holder, officer.generation, secret)
    session.flush()


def _sealed_anew(
    session: Session, keys: ServerKeys, case: Case, old_secret: bytes
) -> tuple[dict[bytes, bytes], bytes]:
    """Seal what a case holds to a new pair and delete every grant of the old one.

    Returns the new seals' hashes by the old ones', and the new secret, which nobody has yet.
    """
    pair = sealing.new_pair()
    renamed = items.reseal(session, keys, case.report, old_secret, pair.public)
    for row in files.of_report(session, keys, case.report):
        _reseal_file(session, keys, row, old_secret, pair.public)
    session.exec(delete(Grant).where(col(Grant.report) == case.report))
    case.public_key = pair.public
    return renamed, pair.secret


def _reseal_file(
    session: Session, keys: ServerKeys, row: File, secret: bytes, public: bytes
) -> None:
    """Seal a file's keys and details anew; of the original's key the outer seal."""

    def anew(blob: bytes | None, column: str) -> bytes | None:
        if blob is None:
            return None
        context = files.context(row, column)
        return sealing.seal(sealing.open_seal(blob, secret, context), public, context)

    row.original_key = anew(row.original_key, "original_key")
    row.copy_key = anew(row.copy_key, "copy_key")
    row.details = anew(row.details, "details")
    files.save(session, keys, row)


def _own(session: Session, report: bytes) -> list[Grant]:
    """Return the grants of a case's own key to officers, unchecked."""
    query = select(Grant).where(
        Grant.report == report, Grant.recipient_kind == Recipient.OFFICER.value
    )
    return list(session.exec(query.order_by(col(Grant.id))))


def _names(row: Grant) -> tuple[bytes, int]:
    return row.recipient, row.generation


def _key_of(officer: Officer) -> tuple[bytes, int]:
    return officer.id, officer.generation
