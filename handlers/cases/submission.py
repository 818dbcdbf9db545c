"""A draft becomes a case: routed, numbered, a receipt owed, officers alerted.

``routes`` and ``entry_units`` read what routing needs. A draft is sealed to every entry
unit, because nobody knows yet where it will go.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace

from handlers.cases import due_dates
from handlers.errors import NotFound, NumbersExhausted
from handlers.notices import officers as notices
from handlers.rules import numbering, routing
from handlers.rules.routing import Lead
from handlers.work import Work
from storage.cases import cases, codes, figures, history, items, reports
from storage.cases.items import Content
from storage.jobs import jobs
from storage.models import Case, Unit
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.units import above, entrance
from storage.units.entrance import Entrance
from storage.words import (
    Audience,
    Channel,
    Group,
    ItemKind,
    JobKind,
    PositionClass,
    Wanted,
)

READ = "read"
"""Where the choices of a case hold what its words were read as."""
_NUMBER_TRIES = 20
_COUNTED = frozenset({"Q06", "Q07", "Q09", "Q16"})
"""Category, province, position, source of knowledge: all that figures may count."""


def open_case(
    work: Work,
    report: bytes,
    answers: Mapping[str, str],
    *,
    lead: Lead,
    reporter: Subscriber,
    notify: Wanted | None,
) -> Case:
    """Turn a draft into a case: route it, number it, owe a receipt, alert the officers.

    ``answers`` are codes of choice steps, ``lead`` what they and the reporter's words
    together say of the way. ``reporter`` is where the receipt goes; it is
    kept as a subscriber only when they asked for notices (``notify``: which kind).
    """
    keys, is_canary = work.keys, reporter.channel is Channel.CANARY
    case = _opened(work, report, answers, lead, canary=is_canary)
    owed = {
        "report": report.hex(),
        "channel": reporter.channel.value,
        "handle": reporter.handle,
        "language": reporter.language,
        "heard": str(reporter.last_inbound),
    }
    jobs.put(work.store, keys, JobKind.RECEIPT, owed, now=work.now)
    if notify is not None:
        subscriptions.add(work.store, keys, report, replace(reporter, kind=notify))
    if is_canary:
        return case
    if case.unit != above.id_of(work.store, keys):
        figures.bump(work.store, f"submitted.{reporter.channel}", day=work.day)
    notices.alert(work, case, text="ALERT.NEW")
    return case


def open_beside(work: Work, report: bytes, lead: Lead) -> Case:
    """Turn a draft into a case that its reporter does not know of, and alert its officers.

    It has no receipt: what the reporter holds is the case beside which this one stands.
    """
    case = _opened(work, report, {}, lead, canary=False)
    notices.alert(work, case, text="ALERT.NEW")
    return case


def _opened(
    work: Work, report: bytes, answers: Mapping[str, str], lead: Lead, *, canary: bool
) -> Case:
    keys, day = work.keys, work.day
    ways = _routes(entrance.present(work.store, keys, hold=True))
    decision = routing.route(lead, ways)
    public = reports.public_key(work.store, keys, report)
    if public is None:
        raise NotFound
    reports.release(work.store, keys, report, bytes.fromhex(decision.unit))
    chosen = {**answers, READ: dict(lead.suggested)}
    choices = Content(kind=ItemKind.CHOICES, text=json.dumps(chosen))
    items.add_item(
        work.store,
        keys,
        report,
        choices,
        audience=Audience.CASE,
        public=public,
        day=day,
    )
    case = Case(
        report=report,
        number="",
        day=day,
        category=decision.group.value,
        track=decision.track.value,
        urgency=decision.urgency.value,
        position=decision.position.value,
        province=decision.province,
        unit=bytes.fromhex(decision.unit),
        due=day,
        canary=canary,
        public_key=public,
        figures=codes.sealed(keys, report, _figures(answers, decision.subcategory)),
        head=history.START,
        tag=b"",
    )
    sealed = items.item_hashes(work.store, report)
    history.begin(work.store, keys, case, sealed, day=day)
    due_dates.set_by(work, case, ())
    _insert(work, case)
    return case


def _figures(answers: Mapping[str, str], subcategory: str) -> dict[str, str]:
    """Return the few codes that the reports count; everything else stays sealed."""
    counted = {step: code for step, code in answers.items() if step in _COUNTED}
    return {**counted, "subcategory": subcategory}


def _insert(work: Work, case: Case) -> None:
    for _ in range(_NUMBER_TRIES):
        case.number = numbering.new_case_number(secrets.randbelow)
        if cases.insert(work.store, work.keys, case):
            return
    raise NumbersExhausted


def routes(work: Work) -> tuple[routing.Route, ...]:
    """Return the verified routes as the rules read them; unit ids as hex."""
    return _routes(entrance.present(work.store, work.keys))


def entry_units(work: Work) -> list[Unit]:
    """Return the verified units that a report may reach; raises NoDefaultRoute.

    Their keys stay the present ones until the commit: a draft is about to be sealed to them.
    """
    held = entrance.present(work.store, work.keys, hold=True)
    return [
        held.unit(bytes.fromhex(unit_id))
        for unit_id in routing.entry_units(_routes(held))
    ]


def _routes(found: Entrance) -> tuple[routing.Route, ...]:
    return tuple(
        routing.Route(
            group=Group(row.category) if row.category else None,
            province=row.province or None,
            position=PositionClass(row.position) if row.position else None,
            unit_id=row.unit.hex(),
            priority=row.priority,
        )
        for row in found.ways()
    )
