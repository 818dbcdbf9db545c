"""The last day on which something of a case is kept, as the table of lifetimes says."""

from datetime import date

from handlers.rules.lifetimes import Facts, Lifetimes, Since, last_day
from storage.words import Erased


def last_kept(table: Lifetimes, facts: Facts, what: Erased) -> date | None:
    """Return that day, None while it is not known."""
    for rule in table.of(what):
        start = facts.purged if rule.since is Since.PURGED else facts.closed
        if facts.status in rule.statuses and start is not None:
            return last_day(rule, start)
    return None
