"""Recovery of cases with a key of their own (``case_keys``): no unit's key opens these.

The ``cases`` paper opens the grant of each; a new paper needs somebody present who opens
the case.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from storage.audit import log
from storage.cases import cases, conflicts, history, reports
from storage.crypto.sealing import NotAuthentic, public_of
from storage.crypto.server_key import ServerKeys
from storage.models import REAL, Case, Grant, Officer, RecoveryKey, Unit
from storage.rekeying import case_keys, recovery
from storage.rekeying.recovery import MemberMissing
from storage.units import units
from storage.words import Recipient

BATCH = 25
"""Cases of one transaction."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did: cases opened, cases left, where the next one begins.

    ``after`` is None at the end. A case is left that was changed by hand or that the paper
    does not open.
    """

    opened: int
    left: int
    after: bytes | None


def let_in(
    session: Session,
    keys: ServerKeys,
    secret: bytes,
    into: Sequence[Unit],
    officer: Officer,
    *,
    after: bytes = b"",
    limit: int = BATCH,
    now: datetime,
) -> Batch:
    """Give an officer the keys of these units' cases that have their own; some at a time.

    ``secret`` is the ``cases`` paper's. A case on which the officer declared a conflict,
    or whose key they have, is passed over. Raises WrongPaper.
    """
    offline = recovery.check_paper(session, keys, "cases", secret)
    page = _page(session, [unit.id for unit in into], after, limit)
    opened = left = 0
    for report in page:
        try:
            case = _without(session, keys, report, officer)
            if case is None:
                continue
            own = _opened(session, keys, case, offline, secret)
        except NotAuthentic:
            left += 1
            continue
        case_keys.share(session, keys, case, [officer], own)
        detail = history.short(case.head)
        log.record(
            session,
            keys,
            "case.recovered",
            officer=officer.id,
            report=report,
            detail=detail,
            now=now,
        )
        opened += 1
    return Batch(opened, left, page[-1] if len(page) == limit else None)


def is_due(
    session: Session, keys: ServerKeys, into: Sequence[Unit], officer: Officer
) -> bool:
    """Tell whether a case of these units has a key of its own that an officer lacks."""
    return any(
        not conflicts.is_barred(session, report, officer.id)
        and not case_keys.is_held(session, keys, report, officer)
        for report in _every(session, [unit.id for unit in into])
    )


def reseal(
    session: Session,
    keys: ServerKeys,
    offline: RecoveryKey,
    present: Sequence[tuple[Officer, bytes]],
    *,
    leave: bool = False,
) -> int:
    """Seal every case's own key to a new recovery key; return how many nobody here opens.

    ``offline`` is the new key, checked; ``present`` are officers with their secret keys.
    Raises MemberMissing for a case that none of them opens, unless ``leave``: of such a
    case the old paper's grant stays as it is.
    """
    lost = 0
    for report in _every(session):
        case = cases.lock(session, keys, report)
        if case is None:
            continue
        try:
            secret = _as_member(session, keys, case, present)
        except MemberMissing:
            if not leave:
                raise
            lost += 1
            continue
        for old in _offline(session, report):
            session.delete(old)
        holder = (Recipient.RECOVERY, offline.id, offline.public_key)
        reports.grant_to(session, keys, report, holder, 0, secret)
        session.flush()
    return lost


def _without(
    session: Session, keys: ServerKeys, report: bytes, officer: Officer
) -> Case | None:
    """Lock a case whose own key an officer may have and has not. Raises NotAuthentic."""
    case = cases.lock(session, keys, report)
    if case is None or conflicts.is_barred(session, report, officer.id):
        return None
    return None if case_keys.is_held(session, keys, report, officer) else case


def _opened(
    session: Session,
    keys: ServerKeys,
    case: Case,
    offline: RecoveryKey,
    secret: bytes,
) -> bytes:
    """Open the recovery key's grant of a case. Raises NotAuthentic."""
    for row in _offline(session, case.report):
        if row.recipient != offline.id:
            continue
        try:
            own = reports.opened(keys, row, secret)
        except NotAuthentic:
            continue  # one that was planted beside the real one
        if public_of(own) == case.public_key:
            return own
    raise NotAuthentic


def _as_member(
    session: Session,
    keys: ServerKeys,
    case: Case,
    present: Sequence[tuple[Officer, bytes]],
) -> bytes:
    """Open a case's own key as somebody present does. Raises MemberMissing."""
    unit = units.verified(session, keys, case.unit)
    for officer, secret in present:
        if conflicts.is_barred(session, case.report, officer.id):
            continue
        try:
            return case_keys.secret_of(session, keys, case, unit, officer, secret)
        except (case_keys.NotGranted, NotAuthentic):
            continue
    able = [
        one.login
        for one in case_keys.holders(session, keys, case)
        if case_keys.is_held(session, keys, case.report, one)
    ]
    if able:
        raise MemberMissing(
            f"nobody present opens case {case.number}, which has a key of its own: name "
            f"one of {', '.join(able)} with --member"
        )
    raise MemberMissing(
        f"nobody but the old paper opens case {case.number}: let somebody in with it "
        "first (`kentongan keys recover`), or give it up with --leave-lost"
    )


def _every(session: Session, into: Sequence[bytes] | None = None) -> Iterator[bytes]:
    """Yield reports with a grant to a recovery key, in the order of locks."""
    after: bytes | None = b""
    while after is not None:
        page = _page(session, into, after, BATCH)
        yield from page
        after = page[-1] if len(page) == BATCH else None


def _page(
    session: Session, into: Sequence[bytes] | None, after: bytes, limit: int
) -> list[bytes]:
    query = (
        select(Grant.report)
        .join(Case, col(Case.report) == col(Grant.report))
        .where(
            REAL,
            Grant.recipient_kind == Recipient.RECOVERY.value,
            col(Grant.report) > after,
        )
    )
    if into is not None:
        query = query.where(col(Case.unit).in_(list(into)))
    query = query.distinct().order_by(col(Grant.report)).limit(limit)
    return list(session.exec(query))


def _offline(session: Session, report: bytes) -> list[Grant]:
    """Return a case's grants to recovery keys, unchecked."""
    query = select(Grant).where(
        Grant.report == report, Grant.recipient_kind == Recipient.RECOVERY.value
    )
    return list(session.exec(query.order_by(col(Grant.id))))
