"""Re-sealing: what an older key of a unit opens is sealed to the newer one, a few at a time.

It needs the secret of a member, so it happens in the session of whoever looks at the queue.
"""

from handlers.work import Work
from storage.audit import log
from storage.models import Officer
from storage.rekeying import unit_keys


def reseal(work: Work, unit: bytes, secret: bytes, *, by: Officer) -> int:
    """Re-seal a few cases of a unit, drop keys that nothing names; return how many it was.

    ``secret`` is the member's own. Each kind of deed is one line of the log with a count.
    """
    done = unit_keys.batch(work.store, work.keys, unit, by, secret)
    dropped = unit_keys.drop_old(work.store, work.keys, unit)
    if done:
        _record(work, "unit.resealed", by, f"{unit.hex()}:{done}")
    for generation in dropped:
        _record(work, "unit.key_dropped", by, f"{unit.hex()}:{generation}")
    return done


def _record(work: Work, code: str, by: Officer, detail: str) -> None:
    log.record(work.store, work.keys, code, officer=by.id, detail=detail, now=work.now)
