"""What accuses those above us after a report was sent goes to them alone.

An addition, an answer or a caption in which such words appear is not sealed to the case
that it belongs to: it becomes a case of the unit above us, which names the other one inside
its seal. In the other case nothing shows: no item, no event, no alert.
"""

from dataclasses import dataclass

from handlers.cases import submission
from handlers.conversation import lead
from handlers.rules.routing import CATEGORY, PLACE, Lead
from handlers.talk.turn import Item
from handlers.work import Work
from storage.cases import cases, items, reports
from storage.cases.items import Content
from storage.units import above, units
from storage.words import Audience, ItemKind

BESIDE = "BESIDE"
"""The part of such a case that names the case beside which it stands."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A report begun for those above us, and what routing goes by when it is sent."""

    report: bytes
    lead: Lead


def begin(work: Work, item: Item, report: bytes) -> Beside | None:
    """Begin a report for those above us, sealed to them alone; None where none is needed.

    ``report`` is the case that the item was meant for.
    """
    found = lead.accusing(work.office, item)
    if found is None:
        return None
    unit = above.find(work.store, work.keys)
    case = cases.get(work.store, work.keys, report)
    if unit is None or unit.public_key is None or case is None or case.unit == unit.id:
        return None
    draft = reports.start(work.store, work.keys, [unit], day=work.day)
    name = units.verified(work.store, work.keys, case.unit).name
    items.add_item(
        work.store,
        work.keys,
        draft.report,
        Content(ItemKind.ANSWER, f"{case.number} ({name})", step=BESIDE, version=1),
        audience=Audience.CASE,
        public=draft.public_key,
        day=work.day,
    )
    known = {CATEGORY: case.category, PLACE: case.province}
    return Beside(draft.report, lead.of_reading(work.office, found, known))


def send(work: Work, beside: Beside) -> None:
    """Open the case for those above us, now that its item is sealed."""
    submission.open_beside(work, beside.report, beside.lead)
