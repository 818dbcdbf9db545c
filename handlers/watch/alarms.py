"""The operators are told: once when an alarm begins, once a day, once when it is over.

Told is every admin who linked a Telegram account, neutrally: what is wrong, never a case
or a person. What was told stands in the watches, so that of many processes one tells.
"""

from datetime import timedelta

from handlers.messages import Reply
from handlers.notices import officers
from handlers.work import Work
from storage.jobs import watches
from storage.words import Role

AGAIN = timedelta(days=1)


def rings(work: Work, name: str) -> int:
    """Say that an alarm rings; returns how many were told, 0 where they know already."""
    key = f"{watches.ALARM}{name}"
    row = watches.read(work.store).get(key)
    if row is None or row.bad is None:
        watches.bad(work.store, key, "rings", now=work.now)
        row = None
    before = row.told if row is not None else None
    if before is not None and work.now - before < AGAIN:
        return 0
    if not watches.tell_once(work.store, key, before=before, now=work.now):
        return 0
    return _tell(work, "ALARM.RINGS" if before is None else "ALARM.LASTS", name)


def is_over(work: Work, name: str) -> int:
    """Say that an alarm is over, to whom it was told; returns how many were told."""
    key = f"{watches.ALARM}{name}"
    row = watches.read(work.store).get(key)
    if row is None or row.bad is None:
        return 0
    mine = row.told is not None and watches.tell_once(
        work.store, key, before=row.told, now=None
    )
    watches.good(work.store, key, now=work.now)
    return _tell(work, "ALARM.OVER", name) if mine else 0


def _tell(work: Work, text: str, name: str) -> int:
    reply = Reply(text, {"what": f"@ALARM.{name}"})
    return officers.tell_role(work, Role.ADMIN, reply)
