"""Whether a message holds a receipt: found before its transaction, so that it can be tried.

``look`` reads only; the slow hashing of what it finds runs in between
(``handlers.cases.receipts.open_with``), outside any transaction.
"""

from handlers import dialogue
from handlers.cases import receipts
from handlers.cases.receipts import Question
from handlers.conversation.exchange import names, recall
from handlers.messages import Incoming, Kind
from handlers.rules import numbering
from handlers.work import Work

_FEWEST_DIGITS = 2
"""Every case number has at least two digits, every code sixteen."""


def may_hold_receipt(incoming: Incoming) -> bool:
    """Tell cheaply whether it is worth looking for a receipt in this message."""
    if incoming.kind is Kind.GROUP:
        return False
    return sum(map(str.isdigit, incoming.text)) >= _FEWEST_DIGITS


def look(work: Work, incoming: Incoming) -> Question | None:
    """Return the receipt that this message holds, if it holds one; reads only."""
    memory, _ = recall(work, incoming, names(work.office, incoming))
    waits = dialogue.wants_receipt(memory.state)
    words = work.office.questionnaire.keywords
    found = numbering.read_receipt(
        incoming.text,
        expects_code=waits
        or bool(memory.number)
        or words.first(incoming.text) is not None,
        keywords=receipts.keywords(work.office),
    )
    number = (found.number if found else "") or memory.number
    if found is None or not number:
        return None
    if not found.code and not waits and memory.report:
        return None  # inside a report a number alone is a weak sign: it stays an answer
    whole = bool(found.number and found.code)
    return receipts.question(work, number, found.code, whole=whole)
