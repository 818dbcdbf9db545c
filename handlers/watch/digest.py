"""The auditor's daily digest: the head of the log, and what happened since the last one.

Whoever keeps the head outside this system can show later that a log was cut or put back.
The digest is a line of the log itself, so two processes send it once.
"""

from datetime import time

from handlers.messages import Reply
from handlers.notices import officers
from handlers.work import Work
from storage.audit import log
from storage.units import above
from storage.words import Role

CODE = "digest"
HOUR = time(7)
"""Local time from which on the day's digest is due."""
_READ, _REVEAL = "case.read", "case.reveal"
_WRONG = "second_factor_wrong"
_REMOVED = frozenset({"unit.removed", "officer.ended"})


def is_due(work: Work) -> bool:
    """Tell whether today's digest is still to be sent."""
    local = work.now.astimezone(work.office.zone)
    if local.time() < HOUR:
        return False
    last = log.last_of(work.store, CODE)
    return last is None or work.office.day(last.at) < local.date()


def send(work: Work, *, broken: int | None) -> int | None:
    """Write the digest into the log and send it to every auditor who linked a Telegram.

    ``broken`` is the first line that is not whole, looked for outside the transaction.
    Returns how many were told; None where today's was sent already.
    """
    if not is_due(work):
        return None
    counts = log.counts(
        work.store,
        after=log.last_of(work.store, CODE),
        above=above.id_of(work.store, work.keys),
    )
    detail = f"broken:{broken}" if broken else "whole"
    log.record(work.store, work.keys, CODE, officer=None, detail=detail, now=work.now)
    params = {
        "day": f"{work.day:%d.%m.%Y}",
        "head": log.written(log.head(work.store)),
        "lines": str(counts.total()),
        "read": str(counts[_READ]),
        "reveals": str(sum(n for c, n in counts.items() if c.startswith(_REVEAL))),
        "removed": str(sum(n for c, n in counts.items() if c in _REMOVED)),
        "wrong": str(counts[_WRONG]),
        "line": str(broken or 0),
    }
    text = "DIGEST.BROKEN" if broken else "DIGEST.WHOLE"
    return officers.tell_role(work, Role.AUDITOR, Reply(text, params))
