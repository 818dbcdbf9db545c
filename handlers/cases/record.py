"""How an officer's act on a case is written down: the event, the item, the witness.

Every verb of an officer is made of these: lock the case, append to its history, save it,
and as the last statement write the head of the history into the audit log.
"""

from datetime import datetime

from handlers.errors import NotFound, Purged
from handlers.notices import reporters
from handlers.work import Work
from storage.audit import log
from storage.cases import cases, history, items
from storage.cases.history import Actor
from storage.cases.items import Content
from storage.models import Case, Event, Officer
from storage.units import above
from storage.words import ActorClass, Audience, EventCode, ItemKind


def lock(work: Work, report: bytes) -> Case:
    """Load a verified case for an act on it. Raises NotFound, NotAuthentic."""
    case = cases.lock(work.store, work.keys, report)
    if case is None:
        raise NotFound
    return case


def refuse_purged(case: Case) -> None:
    """Raise Purged where what the case held was erased: nobody could read a new word."""
    if case.purged is not None:
        raise Purged


def event(
    work: Work,
    case: Case,
    code: EventCode,
    by: Officer,
    detail: str = "",
    *,
    item_hash: bytes | None = None,
) -> Event:
    """Append an officer's act, and give the case its register number if it has none yet."""
    _register(work, case)
    return append(work, case, code, by, detail, item_hash=item_hash)


def append(
    work: Work,
    case: Case,
    code: EventCode,
    by: Officer,
    detail: str = "",
    *,
    item_hash: bytes | None = None,
) -> Event:
    """Append what an officer did to the history; ``detail`` is a code, never text.

    ``item_hash`` names what was sealed with it. It gives no register number.
    """
    actor = Actor(ActorClass.OFFICER, by.id, work.now)
    return history.append(
        work.store,
        work.keys,
        case,
        code,
        by=actor,
        day=work.day,
        detail=detail,
        item_hash=item_hash,
    )


def _register(work: Work, case: Case) -> None:
    """Give the internal register number at the first act of an officer.

    Not at submit: the order of numbers must not tell the order in which reports came. A
    number that a case left when it came to, or from, the unit above us is given first, so
    that no gap tells of it.
    """
    if case.register_number is None:
        year = case.day.year
        is_above = case.unit == above.id_of(work.store, work.keys)
        dropped = cases.dropped_register_number(work.store, year, above=is_above)
        case.register_number = dropped or cases.next_register_number(
            work.store, year, above=is_above
        )
        case.register_year = year


def seal_to_case(
    work: Work, case: Case, content: Content, code: EventCode, by: Officer
) -> None:
    """Seal what an officer wrote to the case and name it in the history. Raises Purged."""
    refuse_purged(case)
    item_hash = items.add_item(
        work.store,
        work.keys,
        case.report,
        content,
        audience=Audience.CASE,
        public=case.public_key,
        day=work.day,
    )
    append(work, case, code, by, item_hash=item_hash)


def tell_reporter(work: Work, case: Case, text: str, *, by: Officer) -> bool:
    """Write to the reporter: sealed to their key, read with the code, told as they wished.

    False where no receipt was made yet. The caller saves the case and writes the witness.
    """
    refuse_purged(case)
    if case.reporter_key is None:
        return False
    sent = items.add_item(
        work.store,
        work.keys,
        case.report,
        content(ItemKind.TOLD, text, by, work.now),
        audience=Audience.REPORTER,
        public=case.reporter_key,
        day=work.day,
    )
    append(work, case, EventCode.ITEM, by, item_hash=sent)
    reporters.tell(work, case, words=text)
    return True


def witness(work: Work, case: Case, act: str, by: Officer) -> None:
    """Write the head of the case's history into the audit log; a verb's last statement.

    With it an older copy of the case no longer fits, though every row of it is ours.
    """
    log.record(
        work.store,
        work.keys,
        f"case.{act}",
        officer=by.id,
        report=case.report,
        detail=history.short(case.head),
        now=work.now,
    )


def content(kind: ItemKind, text: str, by: Officer, now: datetime) -> Content:
    """Return what an officer wrote, as it stands inside an item's seal."""
    return Content(kind=kind, text=text, at=now.isoformat(), officer=by.id.hex())
