"""My work: what I have taken, what waits for my approval, what is due soon."""

from datetime import timedelta

from starlette.responses import Response

from bot.console.cases.queue import lines
from bot.console.visit import Visit
from storage.cases import conflicts, worklist
from storage.people import officers
from storage.units import units

SOON = timedelta(days=3)


def mine(visit: Visit) -> Response:
    """Show one officer's work."""
    keys, me = visit.console.office.keys, visit.officer
    today = visit.console.office.day(visit.now)
    with visit.console.database.reading() as session:
        own = units.units_of(session, keys, me)
        names = [unit.id for unit in own]
        hidden = conflicts.barred(session, me.id)
        taken = worklist.taken_by(session, names, me.id, without=hidden)
        proposed = worklist.awaiting_approval(session, keys, names, without=hidden)
        soon = worklist.due_by(session, names, today + SOON, without=hidden)
        people = officers.names(session, keys)
    by_others = [case for case in proposed if case.wanted_by != me.id]
    by_me = [case for case in proposed if case.wanted_by == me.id]
    return visit.page(
        "cases/mine.html",
        taken=lines(visit, taken, own, people),
        approvals=lines(visit, by_others, own, people),
        proposals=lines(visit, by_me, own, people),
        soon=lines(visit, soon, own, people),
        people=people,
        several=len(own) > 1,
    )
