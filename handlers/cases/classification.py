"""An officer corrects what a case is about: categories, post, urgency, track, place, agency.

What makes a case milder is proposed by one officer and confirmed by another. Codes go onto
the case, exact ones under the server key; history and log name the field and the reason,
never a value. Words and the agency's name are sealed to the case. A change of route moves
nothing: ``belongs_to`` names the unit that a report like this would go to now.

Among fields "" stands for what nobody said.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from handlers import authority
from handlers.cases import due_dates, record, submission
from handlers.errors import (
    AboveNeeded,
    Changed,
    NoDefaultRoute,
    ReasonNeeded,
    SecondOfficerNeeded,
)
from handlers.rules import routing
from handlers.rules.classification import FIELDS
from handlers.rules.rulebook import Rulebook
from handlers.work import Work
from storage.audit import log
from storage.cases import cases, codes, conflicts
from storage.cases.codes import Proposal
from storage.models import Case, Officer, Unit
from storage.units import above, units
from storage.words import (
    CONFLICTED,
    EventCode,
    Group,
    ItemKind,
    PositionClass,
    Urgency,
)

AGENCY: Final = "agency"
_SEALED: Final = ("further", "post", "employment", "acting", "sp4n", "regency")
"""Fields that stand under the server key by their own names."""
_MAIN, _AS_REPORTED = "subcategory", "Q09"


@dataclass(frozen=True, slots=True)
class Correction:
    """What an officer sent: the fields as they should be, why, and the page's version.

    ``agency`` is None where it stays as it is.
    """

    fields: Mapping[str, str] = field(repr=False)
    reason: str
    version: str
    words: str = field(default="", repr=False)
    agency: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Became:
    """Fields that were changed, and those that wait for a second officer."""

    changed: tuple[str, ...]
    waiting: tuple[str, ...]


def present(work: Work, case: Case) -> dict[str, str]:
    """Return the fields of a verified case as they are; the category may be a bare group."""
    held = codes.read(work.keys, case)
    return {
        **{name: held.get(name, "") for name in _SEALED},
        "category": held.get(_MAIN) or case.category,
        "track": case.track,
        "urgency": Urgency(case.urgency).name,
        "province": case.province,
    }


def waiting(work: Work, case: Case) -> Proposal | None:
    """Return what somebody proposed; None where it lapsed by a change or a conflict."""
    found = codes.proposal(codes.read(work.keys, case))
    if found is None or conflicts.is_barred(work.store, case.report, found.officer):
        return None
    now = present(work, case)
    return (
        found if all(now[name] == old for name, old in found.before.items()) else None
    )


def version(case: Case) -> str:
    """Return what a form carries of the case that it was made for."""
    clear = f"{case.category} {case.track} {case.urgency} {case.position}"
    placed = f"{clear} {case.province} ".encode() + case.unit
    return sha256(placed + case.figures).hexdigest()[:32]


def belongs_to(work: Work, case: Case) -> Unit | None:
    """Return the unit that a report of this class goes to now; None where the case is there."""
    now = present(work, case)
    answers = {
        routing.CATEGORY: now["category"],
        routing.PLACE: now["province"],
        routing.POSITION: _class_of(work, case, now),
    }
    try:
        way = routing.route(routing.Lead(answers), submission.routes(work))
    except NoDefaultRoute:
        return None
    unit = bytes.fromhex(way.unit)
    return None if unit == case.unit else units.verified(work.store, work.keys, unit)


def classify(
    work: Work, report: bytes, correction: Correction, *, by: Officer
) -> Became:
    """Correct a case; what makes it milder waits for a second officer.

    Where nothing differs nothing is written, not even the words. Raises Changed, ReasonNeeded, CodeUnknown with the field's name, AboveNeeded,
    Purged, NotFound, NotAuthentic.
    """
    case = _locked(work, report, correction.version)
    rules = work.office.rulebook
    if correction.reason not in rules.classification.reasons:
        raise ReasonNeeded
    now = present(work, case)
    to = rules.classification.complete(now, correction.fields, _known(rules))
    changed = [name for name in FIELDS if to[name] != now[name]]
    if not changed and correction.agency is None:
        return Became((), ())
    milder = _milder(work, case, now, to, by)
    at_once = tuple(name for name in changed if name not in milder)
    lapsed = waiting(work, case)
    held = _apply(work, case, {name: to[name] for name in at_once})
    if milder:
        wanted, before = ({name: of[name] for name in milder} for of in (to, now))
        codes.propose(held, Proposal(wanted, before, correction.reason, by.id))
    elif lapsed and set(lapsed.to) & set(at_once):
        codes.propose(held, None)
        _mark(work, case, EventCode.CLASS_DROPPED, lapsed.to, lapsed.reason, by)
    codes.write(work.keys, case, held)
    told = at_once if correction.agency is None else (*at_once, AGENCY)
    _mark(work, case, EventCode.CLASSIFIED, told, correction.reason, by)
    _mark(work, case, EventCode.CLASS_ASKED, milder, correction.reason, by)
    _seal(work, case, correction, by)
    _finish(work, case, EventCode.CLASS_ASKED if milder else EventCode.CLASSIFIED, by)
    return Became(told, milder)


def confirm(work: Work, report: bytes, seen: str, *, by: Officer) -> None:
    """Do what another officer proposed; ``seen`` is the version of the page.

    Raises Changed, SecondOfficerNeeded for whoever proposed it, AboveNeeded.
    """
    case = _locked(work, report, seen)
    proposal = waiting(work, case)
    if proposal is None:
        raise Changed
    if proposal.officer == by.id:
        raise SecondOfficerNeeded
    now = present(work, case)
    _milder(work, case, now, {**now, **proposal.to}, by)
    held = _apply(work, case, proposal.to)
    codes.propose(held, None)
    codes.write(work.keys, case, held)
    _mark(work, case, EventCode.CLASS_AGREED, proposal.to, proposal.reason, by)
    _finish(work, case, EventCode.CLASS_AGREED, by)


def drop(work: Work, report: bytes, seen: str, *, by: Officer) -> None:
    """Refuse what was proposed, or take one's own proposal back. Raises Changed."""
    case = _locked(work, report, seen)
    proposal = waiting(work, case)
    if proposal is None:
        raise Changed
    held = codes.read(work.keys, case)
    codes.propose(held, None)
    codes.write(work.keys, case, held)
    _mark(work, case, EventCode.CLASS_DROPPED, proposal.to, proposal.reason, by)
    _finish(work, case, EventCode.CLASS_DROPPED, by)


def _locked(work: Work, report: bytes, seen: str) -> Case:
    case = record.lock(work, report)
    record.refuse_purged(case)
    if version(case) != seen:
        raise Changed
    return case


def _known(rules: Rulebook) -> Mapping[str, Container[str]]:
    """Return the codes that each field may hold."""
    table = rules.classification
    return {
        "category": rules.categories,
        "further": rules.categories,
        "post": rules.positions,
        "employment": {"", *table.employment},
        "acting": {"", *table.acting},
        "track": table.order.track,
        "urgency": table.order.urgency,
        "sp4n": {"", *table.sp4n},
        "province": {"", *rules.provinces.names},
        "regency": {"", *rules.regencies.names},
    }


def _class_of(work: Work, case: Case, fields: Mapping[str, str]) -> str:
    """Return the class of position, as strict as it may be.

    Of a case above us whose class is not known our own people may be the reported ones.
    """
    post = work.office.rulebook.positions.get(fields["post"])
    if post is not None:
        return post.position_class.value
    reported = codes.read(work.keys, case).get(_AS_REPORTED, "")
    if reported in CONFLICTED:
        return reported
    is_above = case.unit == above.id_of(work.store, work.keys)
    if is_above and case.position == PositionClass.UNK:
        return PositionClass.INS.value
    return case.position


def _milder(
    work: Work,
    case: Case,
    now: Mapping[str, str],
    to: Mapping[str, str],
    by: Officer,
) -> tuple[str, ...]:
    """Return the fields that take a second officer. Raises AboveNeeded."""
    rules = work.office.rulebook.classification
    old, new = _class_of(work, case, now), _class_of(work, case, to)
    if rules.leaves_above(old, new):
        unit = above.find(work.store, work.keys)
        if unit is None or not authority.sits_in(work, by, unit):
            raise AboveNeeded
    lowered = [n for n in ("track", "urgency") if rules.lowers(n, now[n], to[n])]
    return (*(("post",) if rules.lowers("position", old, new) else ()), *lowered)


def _apply(work: Work, case: Case, to: Mapping[str, str]) -> dict[str, str]:
    """Put fields on the row; returns the codes under the key, which the caller writes."""
    held = codes.read(work.keys, case)
    for name in _SEALED:
        if name in to:
            held[name] = to[name]
    if "category" in to:
        held[_MAIN] = to["category"]
        case.category = Group(to["category"].partition("-")[0]).value
    if "post" in to:
        told = work.office.rulebook.positions[to["post"]].position_class
        hidden = told is PositionClass.INS
        case.position = (PositionClass.UNK if hidden else told).value
    case.track = to.get("track", case.track)
    case.province = to.get("province", case.province)
    if "urgency" in to:
        case.urgency = Urgency[to["urgency"]].value
    return held


def _mark(
    work: Work,
    case: Case,
    code: EventCode,
    names: Iterable[str],
    reason: str,
    by: Officer,
) -> None:
    """Write a line for each field into history and log: which, and why; never what."""
    for name in names:
        record.event(work, case, code, by, f"{name}:{reason}")
        log.record(
            work.store,
            work.keys,
            code.value,
            officer=by.id,
            report=case.report,
            detail=f"{name}:{reason}",
            now=work.now,
        )


def _seal(work: Work, case: Case, correction: Correction, by: Officer) -> None:
    if correction.agency is not None:
        told = record.content(ItemKind.AGENCY, correction.agency, by, work.now)
        record.seal_to_case(work, case, told, EventCode.ITEM, by)
    if correction.words:
        told = record.content(ItemKind.NOTE, correction.words, by, work.now)
        record.seal_to_case(work, case, told, EventCode.NOTED, by)


def _finish(work: Work, case: Case, act: EventCode, by: Officer) -> None:
    due_dates.set_due(work, case)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, act, by)
