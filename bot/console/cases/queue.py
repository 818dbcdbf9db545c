"""The queue of the officer's units, page by page; and ``mine``, one officer's own work.

Both show cases as the same lines. A page ends with a token that holds the place in the
queue's order, so the next page begins there whatever came in meanwhile.
"""

import base64
import struct
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from bot.console import menu
from bot.console.cases import classification, resealing
from bot.console.cases import conflicts as stepping_back
from bot.console.visit import SeeOther, Visit
from handlers import authority
from storage.cases import cases, conflicts, tags, worklist
from storage.cases.cases import Filters, Place
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Unit
from storage.people import officers
from storage.units import memberships
from storage.words import Group, Status, Urgency

_PLACE = struct.Struct(">BII16s")
_OPEN = tuple(status for status in Status if cases.is_open(status))
_OVER = tuple(status for status in Status if not cases.is_open(status))


@dataclass(frozen=True, slots=True)
class Line:
    """One case as a list shows it: days until the deadline, and whether the row is ours."""

    case: Case
    left: int
    unit: str
    officer: str
    is_ours: bool


def landing(visit: Visit) -> Response:
    """Begin where an officer's work is: for whoever handles no cases, another page."""
    if visit.officer.role in authority.HANDLING:
        return queue(visit)
    path = menu.ACCOUNT if visit.waits else menu.first(visit.officer.role)
    return SeeOther(path)


def queue(visit: Visit) -> Response:
    """Show a page of the queue."""
    wanted = {name: visit.query.get(name, "") for name in _FILTERS}
    filters = _filters(wanted, visit.officer.id)
    after = _place(visit.query.get("after", ""))
    old_keys = resealing.some(visit)
    with visit.console.database.reading() as session:
        mine = memberships.units_of(session, visit.console.office.keys, visit.officer)
        hidden = conflicts.barred(session, visit.officer.id)
        found = cases.queue_page(
            session,
            [unit.id for unit in mine],
            filters=replace(filters, without=hidden),
            after=after,
            limit=cases.PAGE + 1,
        )
        people = officers.names(session, visit.console.office.keys)
        waiting = len(stepping_back.waiting(visit, session, mine))
    shown = found[: cases.PAGE]
    following = ""
    if len(found) > len(shown):
        query = {name: value for name, value in wanted.items() if value}
        following = urlencode({**query, "after": _token(shown[-1])})
    return visit.page(
        "cases/queue.html",
        lines=lines(visit, shown, mine, people),
        wanted=wanted,
        following=following,
        further=after is not None,
        several=len(mine) > 1,
        homeless=not mine,
        old_keys=old_keys,
        declared=bool(visit.query.get("declared")),
        resealed=visit.query.get("resealed", "") == "yes",
        waiting=waiting,
        statuses=_OPEN if filters.is_open else _OVER,
        groups=tuple(Group),
        urgencies=tuple(Urgency),
    )


def lines(
    visit: Visit,
    found: list[Case],
    mine: list[Unit],
    people: Mapping[bytes, str],
) -> list[Line]:
    """Return cases as lists show them."""
    today = visit.console.office.day(visit.now)
    names = {unit.id: unit.name for unit in mine}
    return [
        Line(
            case=case,
            left=(case.due - today).days,
            unit=names.get(case.unit, ""),
            officer=people.get(case.officer, "") if case.officer else "",
            is_ours=_is_ours(visit, case),
        )
        for case in found
    ]


def _is_ours(visit: Visit, case: Case) -> bool:
    try:
        tags.check_case(visit.console.office.keys, case)
    except NotAuthentic:
        return False
    return True


_FILTERS = ("state", "status", "category", "urgency", "mine")


def _filters(wanted: Mapping[str, str], officer: bytes) -> Filters:
    """Read the form; what is no code is dropped."""
    is_open = wanted["state"] != "over"
    statuses = {status.value for status in (_OPEN if is_open else _OVER)}
    urgencies = {str(urgency.value): urgency.value for urgency in Urgency}
    return Filters(
        is_open=is_open,
        status=wanted["status"] if wanted["status"] in statuses else None,
        category=wanted["category"] if wanted["category"] in set(Group) else None,
        urgency=urgencies.get(wanted["urgency"]),
        officer=officer if wanted["mine"] else None,
    )


def _token(case: Case) -> str:
    packed = _PLACE.pack(
        case.urgency, case.due.toordinal(), case.day.toordinal(), case.report
    )
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _place(token: str) -> Place | None:
    """Read where the last page ended; nonsense begins at the top."""
    if not token:
        return None
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_")
        urgency, due, day, report = _PLACE.unpack(packed)
        return Place(urgency, date.fromordinal(due), date.fromordinal(day), report)
    except (NotBase64, ValueError, OverflowError, struct.error):
        return None


SOON = timedelta(days=3)


def mine(visit: Visit) -> Response:
    """Show one officer's work."""
    keys, me = visit.console.office.keys, visit.officer
    today = visit.console.office.day(visit.now)
    with visit.console.database.reading() as session:
        own = memberships.units_of(session, keys, me)
        names = [unit.id for unit in own]
        hidden = conflicts.barred(session, me.id)
        taken = worklist.taken_by(session, names, me.id, without=hidden)
        proposed = worklist.awaiting_approval(session, keys, names, without=hidden)
        classes = classification.proposed(visit, session, names, hidden)
        soon = worklist.due_by(session, names, today + SOON, without=hidden)
        people = officers.names(session, keys)
    by_others = [case for case in proposed if case.wanted_by != me.id]
    by_me = [case for case in proposed if case.wanted_by == me.id]
    for case, who in classes:
        beside = by_me if who == me.id else by_others
        if case not in beside:
            beside.append(case)
    return visit.page(
        "cases/mine.html",
        taken=lines(visit, taken, own, people),
        approvals=lines(visit, by_others, own, people),
        proposals=lines(visit, by_me, own, people),
        soon=lines(visit, soon, own, people),
        people=people,
        several=len(own) > 1,
        most=worklist.MOST,
    )
