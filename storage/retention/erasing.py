"""The one place that deletes what a case holds: identity, contact, contents, files, receipt.

Every function deletes rows and writes a tombstone in the caller's transaction. ``record``
then names in the history what was erased and what is left; without it the items would be
missed. A case on legal hold loses its contact only. What lies on disk of a file goes after
the commit, by the ids that ``erase_files`` returns; its key is gone with the row.
"""

from datetime import date
from typing import assert_never

from sqlalchemy import and_, delete, or_
from sqlmodel import Session, col, select

from storage.cases import history, items, reveals
from storage.cases.history import SYSTEM, Actor
from storage.crypto.sealing import Context
from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import Case, DataRequest, Event, File, Grant, Item
from storage.notices import failed, subscriptions
from storage.retention import tombstones
from storage.words import Audience, Erased, EventCode, RevealOf


class OnHold(Exception):
    """The case is kept for a legal process: nothing of it may be erased until its release."""


def erase_identity(
    session: Session, keys: ServerKeys, case: Case, *, day: date
) -> bool:
    """Delete the identity and what was asked to open it; False where there was none.

    Raises OnHold.
    """
    _refuse_held(case)
    return _erase(session, keys, case, Erased.IDENTITY, day)[0]


def erase_contact(session: Session, keys: ServerKeys, case: Case, *, day: date) -> bool:
    """End every notice about the case, those that wait too; False where there was none."""
    return _erase(session, keys, case, Erased.CONTACT, day)[0]


def erase_contents(
    session: Session,
    keys: ServerKeys,
    case: Case,
    *,
    day: date,
    keep_receipt: bool = True,
) -> bool:
    """Delete every item that the case's key opens, and what the reporter has read.

    What the reporter has not read yet stays, and with ``keep_receipt`` their code still
    works. False where nothing was left. The exact codes for figures go too, and the keys
    to the case once it is over and nothing of it is left. Raises OnHold.
    """
    _refuse_held(case)
    gone = _erase(session, keys, case, Erased.CONTENTS, day)[0]
    if not keep_receipt:
        gone |= _erase(session, keys, case, Erased.RECEIPT, day)[0]
    return gone


def erase_files(
    session: Session, keys: ServerKeys, case: Case, *, day: date
) -> list[bytes]:
    """Delete the keys of all files; returns the ids of what is to be removed from disk.

    Raises OnHold.
    """
    _refuse_held(case)
    return _erase(session, keys, case, Erased.FILES, day)[1]


def erase_receipt(session: Session, keys: ServerKeys, case: Case, *, day: date) -> bool:
    """Let the code open nothing any more; False where there was none. Raises OnHold."""
    _refuse_held(case)
    return _erase(session, keys, case, Erased.RECEIPT, day)[0]


def again(
    session: Session, keys: ServerKeys, case: Case, what: Erased, *, day: date
) -> tuple[bool, list[bytes]]:
    """Erase what a tombstone tells of, whatever an older copy of the case says of a hold.

    Writes no tombstone: the caller has it. Returns whether anything was there, and ids of
    files to remove from disk.
    """
    return _delete(session, keys, case, what, day)


def record(
    session: Session,
    keys: ServerKeys,
    case: Case,
    what: Erased,
    *,
    day: date,
    code: EventCode = EventCode.PURGED,
    by: Actor = SYSTEM,
) -> Event:
    """Name in the history what was erased and what is left; the caller saves the case.

    ``code`` is PURGED, ERASED or WITHDRAWN: after these alone items may be gone.
    """
    return history.append(
        session,
        keys,
        case,
        code,
        by=by,
        day=day,
        detail=what.value,
        item_hash=history.left(session, case),
    )


def _refuse_held(case: Case) -> None:
    if case.hold:
        raise OnHold


def _erase(
    session: Session, keys: ServerKeys, case: Case, what: Erased, day: date
) -> tuple[bool, list[bytes]]:
    gone, removed = _delete(session, keys, case, what, day)
    if gone:
        tombstones.put(session, keys, case.report, what, day=day)
    return gone, removed


def _delete(
    session: Session, keys: ServerKeys, case: Case, what: Erased, day: date
) -> tuple[bool, list[bytes]]:
    session.flush()
    removed: list[bytes] = []
    match what:
        case Erased.IDENTITY:
            gone = bool(items.erase_identity(session, case.report))
            reveals.end_for_report(session, case.report, what=RevealOf.IDENTITY)
        case Erased.CONTACT:
            gone = bool(subscriptions.end_for_case(session, keys, case.report))
            failed.forget_case(session, keys, case)
        case Erased.CONTENTS:
            gone = _delete_contents(session, keys, case, day)
        case Erased.FILES:
            removed = _delete_files(session, case)
            gone = bool(removed)
        case Erased.RECEIPT:
            gone = _delete_receipt(session, case)
            failed.forget_case(session, keys, case)
        case never:
            assert_never(never)
    _drop_keys(session, case)
    session.flush()
    return gone, removed


def _delete_contents(session: Session, keys: ServerKeys, case: Case, day: date) -> bool:
    """Delete items; of a case that is over, the exact codes for figures too."""
    read = and_(
        col(Item.audience) == Audience.REPORTER.value,
        col(Item.by_officer).is_(True),
        col(Item.unread).is_(False),
    )
    gone = session.connection().execute(
        delete(Item).where(
            col(Item.report) == case.report,
            or_(col(Item.audience) == Audience.CASE.value, read),
        )
    )
    if case.is_open or case.purged is not None:
        return bool(gone.rowcount)
    case.figures = keys.lock(
        Purpose.FIGURES, b"{}", Context("cases", case.report, "figures")
    )
    case.purged = day
    return True


def _delete_files(session: Session, case: Case) -> list[bytes]:
    rows = session.connection().execute(
        delete(File).where(col(File.report) == case.report).returning(col(File.id))
    )
    removed = [row[0] for row in rows]
    reveals.end_for_report(session, case.report, what=RevealOf.ORIGINAL)
    return removed


def _delete_receipt(session: Session, case: Case) -> bool:
    """Delete what the code opens, and what was asked with it."""
    run = session.connection().execute
    theirs = col(Item.audience) == Audience.REPORTER.value
    gone = run(delete(Item).where(col(Item.report) == case.report, theirs)).rowcount
    gone += run(
        delete(DataRequest).where(col(DataRequest.report) == case.report)
    ).rowcount
    had = case.receipt_wrap is not None or case.reporter_key is not None
    case.reporter_key = case.receipt_salt = case.receipt_wrap = None
    return had or bool(gone)


def _drop_keys(session: Session, case: Case) -> None:
    """Delete the keys to a case that is over once they open nothing any more."""
    if case.purged is None:
        return
    sealed = select(Item.id).where(
        Item.report == case.report, Item.audience != Audience.REPORTER.value
    )
    kept = select(File.id).where(File.report == case.report)
    if any(session.exec(query.limit(1)).first() for query in (sealed, kept)):
        return
    session.connection().execute(delete(Grant).where(col(Grant.report) == case.report))
