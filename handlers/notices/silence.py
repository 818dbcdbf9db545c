"""News stops: whoever says so over a contact is heard, without number and code.

Only silence follows from it, and number and code bring the news back. An SMS can be sent in
another person's number, so the history says that news stopped: not by whom, by which
channel or why.
"""

from collections.abc import Iterable
from contextlib import suppress

from handlers.work import Work
from storage.cases import cases, history
from storage.crypto.sealing import NotAuthentic
from storage.notices import owed, subscriptions
from storage.words import Channel, EventCode


def stop(work: Work, channel: Channel, handles: Iterable[str]) -> None:
    """End all news to these handles of one person; each case's history says it, by day."""
    stopped: set[bytes] = set()
    for handle in handles:
        place = (work.store, work.keys, channel, handle)
        stopped |= set(owed.reports_of(*place))
        subscriptions.end_for_handle(*place)
    for report in sorted(stopped):
        with suppress(NotAuthentic):
            _record(work, report)


def _record(work: Work, report: bytes) -> None:
    case = cases.lock(work.store, work.keys, report)
    if case is None:
        return
    day, by = work.day, history.SYSTEM
    code = EventCode.NEWS_STOPPED
    history.append(work.store, work.keys, case, code, by=by, day=day)
    cases.save(work.store, work.keys, case)
