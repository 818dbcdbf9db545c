"""Letters that failed are tried again, or dropped: a person's act, and a line of the log."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from handlers import authority
from handlers.errors import NotYours
from handlers.work import Work
from storage.audit import log
from storage.notices import failed

_OTHER: Final = "other"
_CODE: Final = re.compile(r"[a-z]+\.[A-Za-z0-9.]+", re.ASCII)


def retry(
    work: Work, *, only: Sequence[int] = (), reason: str | None = None, by: bytes | None
) -> int:
    """Let letters be sent again; returns how many were still there to be tried.

    ``only`` these, or all of a ``reason``, or all. ``by`` is an officer, None for the
    operator. Raises NotYours.
    """
    _require(work, by)
    taken = failed.retry(work.store, only=only, reason=reason, now=work.now)
    _record(work, "letters.retried", taken, by)
    return len(taken)


def drop(
    work: Work, *, only: Sequence[int] = (), reason: str | None = None, by: bytes | None
) -> int:
    """Delete letters that failed; returns how many were still there. Raises NotYours."""
    _require(work, by)
    gone = failed.drop(work.store, only=only, reason=reason)
    _record(work, "letters.dropped", gone, by)
    return len(gone)


def _require(work: Work, by: bytes | None) -> None:
    if by is not None and authority.present(work, by).role not in authority.LETTERS:
        raise NotYours


def _record(work: Work, code: str, reasons: Sequence[str], by: bytes | None) -> None:
    """Write a line for each reason: how many, and why they had failed; no letter's name."""
    told = (one if _CODE.fullmatch(one) else _OTHER for one in reasons)
    for reason, count in sorted(Counter(told).items()):
        log.record(
            work.store,
            work.keys,
            code,
            officer=by,
            detail=f"{count}:{reason}",
            now=work.now,
        )
