"""What a message leads to is sealed: to the draft, to the opened case, or beside both.

Beside both: to the case whose notice the message quotes, or to the report that was sent
with the caption of the same album a moment ago.
"""

from contextlib import suppress

from handlers.conversation import items as sealed
from handlers.conversation.exchange import Turning, answer
from handlers.messages import Incoming, Kind, Reply
from handlers.talk.state import Turn
from storage.cases import cases
from storage.cases import items as report_items
from storage.crypto.sealing import NotAuthentic
from storage.models import Case
from storage.notices import subscriptions
from storage.units import readiness

FULL = 4000
"""Items that one draft may hold; far more than a person writes in a day."""


def find_beside(turning: Turning) -> str:
    """Find the report that a message belongs to without its code; return a quoted number."""
    memory, incoming = turning.memory, turning.incoming
    if incoming.group and incoming.group == memory.album and memory.sent:
        turning.beside = memory.sent
        return ""
    case = _quoted(turning, incoming) if incoming.quotes else None
    turning.beside = case.report.hex() if case is not None else ""
    return case.number if case is not None else ""


def _quoted(turning: Turning, incoming: Incoming) -> Case | None:
    session, keys = turning.session, turning.office.keys
    for handle in incoming.handles:
        report = subscriptions.quoted(
            session, keys, incoming.channel, handle, incoming.quotes
        )
        if report is not None:
            with suppress(NotAuthentic):
                return cases.get(session, keys, report)
    return None


def seal(turning: Turning, turn: Turn) -> bool:
    """Seal the items; False when this installation cannot take a report yet."""
    session, office, memory = turning.session, turning.office, turning.memory
    items = list(turn.items)
    if any(not item.to_case for item in items) and not memory.report:
        if readiness.ready(session, office.keys):
            return False
        memory.report = sealed.begin(session, office, now=turning.now).hex()
    if memory.report and items:
        held = report_items.count_items(session, bytes.fromhex(memory.report))
        if held + len(items) > FULL:
            items = [item for item in items if item.to_case]
            answer(turning, (Reply("FULL"),))
    sealed.keep(
        session,
        office,
        turning.incoming,
        items,
        draft=memory.report,
        opened=turning.case_of(turn),
        language=office.language(turn.state.language),
        now=turning.now,
    )
    return True


def changes_nothing(turning: Turning, turn: Turn) -> bool:
    """Tell whether this is an update of a live location that is not kept."""
    return turning.incoming.kind is Kind.MOVED and not (turn.items or turn.replies)
