"""Letters that failed are tried again, or dropped: a person's act, and a line of the log."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from handlers.errors import NotYours
from handlers.office import Office
from handlers.people import joining
from storage.audit import log
from storage.notices import failed
from storage.words import Role

LETTERS: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})
"""Who mends the way out, and who answers for it that reporters hear back."""
_OTHER: Final = "other"
_CODE: Final = re.compile(r"[a-z]+\.[A-Za-z0-9.]+", re.ASCII)


def retry(
    session: Session,
    office: Office,
    *,
    only: Sequence[int] = (),
    reason: str | None = None,
    by: bytes | None,
    now: datetime,
) -> int:
    """Let letters be sent again; returns how many were still there to be tried.

    ``only`` these, or all of a ``reason``, or all. ``by`` is an officer, None for the
    operator. Raises NotYours.
    """
    _require(session, office, by)
    taken = failed.retry(session, only=only, reason=reason, now=now)
    _record(session, office, "letters.retried", taken, by, now)
    return len(taken)


def drop(
    session: Session,
    office: Office,
    *,
    only: Sequence[int] = (),
    reason: str | None = None,
    by: bytes | None,
    now: datetime,
) -> int:
    """Delete letters that failed; returns how many were still there. Raises NotYours."""
    _require(session, office, by)
    gone = failed.drop(session, only=only, reason=reason)
    _record(session, office, "letters.dropped", gone, by, now)
    return len(gone)


def _require(session: Session, office: Office, by: bytes | None) -> None:
    if by is not None and joining.present(session, office, by).role not in LETTERS:
        raise NotYours


def _record(
    session: Session,
    office: Office,
    code: str,
    reasons: Sequence[str],
    by: bytes | None,
    now: datetime,
) -> None:
    """Write a line for each reason: how many, and why they had failed; no letter's name."""
    told = (one if _CODE.fullmatch(one) else _OTHER for one in reasons)
    for reason, count in sorted(Counter(told).items()):
        log.record(
            session, office.keys, code, officer=by, detail=f"{count}:{reason}", now=now
        )
