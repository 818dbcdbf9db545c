"""What a case is about: its panel on the case page, the form that corrects it, proposals.

The form shows the reporter's own choices beside it. What their words were read as fills the
form with one press; nothing is changed before an officer sends it with a reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlmodel import Session
from starlette.responses import Response

from bot.console import access
from bot.console.cases import conflicts
from bot.console.evidence import contents
from bot.console.evidence.contents import Contents
from bot.console.visit import SeeOther, Visit
from handlers.cases import classification as verbs
from handlers.cases.classification import Correction
from handlers.errors import Changed, KentonganError, NotFound, NotYours
from handlers.rules.classification import FIELDS, MOST_FURTHER
from storage.cases import worklist
from storage.models import Case
from storage.people import officers
from storage.words import EventCode, Urgency

EVENTS = frozenset(
    {EventCode.CLASSIFIED, EventCode.CLASS_ASKED}
    | {EventCode.CLASS_AGREED, EventCode.CLASS_DROPPED}
)
"""Events whose detail is a field and the reason of a correction."""
DONE = frozenset(f"{code}" for code in EVENTS)
MOST_AGENCY = 200
MOST_WORDS = 1000
_OTHERS = "further_"

Options: TypeAlias = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Choices of a list as (code, name), by headings; "" for none."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a proposal, in words."""

    name: str
    before: str
    to: str


@dataclass(frozen=True, slots=True)
class Panel:
    """How a case is classed, what somebody proposed, and where its route would lead."""

    fields: Mapping[str, str]
    proposal: tuple[Change, ...]
    who: str
    reason: str
    is_mine: bool
    elsewhere: str
    version: str


def panel(
    visit: Visit, session: Session, found: Case, people: Mapping[bytes, str]
) -> Panel:
    """Return what the case page and the form show of a verified case."""
    work, words = visit.work(session), visit.words()
    fields = verbs.present(work, found)
    waiting = None if found.purged else verbs.waiting(work, found)
    unit = None if found.purged else verbs.belongs_to(work, found)
    changes = () if waiting is None else waiting.to.items()
    return Panel(
        fields=fields,
        proposal=tuple(
            Change(name, words.classed(name, fields[name]), words.classed(name, code))
            for name, code in changes
        ),
        who=people.get(waiting.officer, "") if waiting else "",
        reason=words.correction(waiting.reason) if waiting else "",
        is_mine=waiting is not None and waiting.officer == visit.officer.id,
        elsewhere=unit.name if unit else "",
        version=verbs.version(found),
    )


def proposed(
    visit: Visit, session: Session, own: Sequence[bytes], without: Sequence[bytes]
) -> list[tuple[Case, bytes]]:
    """Return the cases of these units that wait to be classed anew, each with who proposed it."""
    work = visit.work(session)
    found = worklist.awaiting_class(session, work.keys, own, without=without)
    waiting = [(case, verbs.waiting(work, case)) for case in found]
    return [(case, one.officer) for case, one in waiting if one is not None]


def detail(visit: Visit, told: str) -> str:
    """Say what the detail of such an event means: the field, and why."""
    name, _, reason = told.partition(":")
    words = visit.words()
    return f"{words.own(f'class.{name}')} ({words.correction(reason)})"


def form(visit: Visit) -> Response:
    """Show the form; with ``fill=words`` as the reporter's words were read."""
    done = visit.query.get("done", "")
    return _show(visit, done=done if done in DONE else "")


def correct(visit: Visit) -> Response:
    """Take the form: at once what may be, the rest as a proposal."""
    agency, words = (_text(visit, name) for name in ("agency", "words"))
    for name, text, most in (
        ("agency", agency, MOST_AGENCY),
        ("words", words, MOST_WORDS),
    ):
        if len(text) > most:
            return _show(visit, problem="TOO_LONG", field=name, status=422)
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, visit.request.path_params["number"])
        held = contents.read(visit, session, found).agency
    correction = Correction(
        fields=_typed(visit),
        reason=visit.form.get("reason", ""),
        version=visit.form.get("version", ""),
        words=words,
        agency=None if agency == held or "agency" not in visit.form else agency,
    )
    became = _act(visit, verbs.classify, {"correction": correction})
    if isinstance(became, Response):
        return became
    if became is not None and not (became.changed or became.waiting):
        return _show(visit, problem="NOTHING_NEW", status=422)
    asked = became is not None and became.waiting
    return _done(visit, EventCode.CLASS_ASKED if asked else EventCode.CLASSIFIED)


def confirm(visit: Visit) -> Response:
    """Do what a colleague proposed."""
    seen = {"seen": visit.form.get("version", "")}
    refused = _act(visit, verbs.confirm, seen)
    return refused or _done(visit, EventCode.CLASS_AGREED)


def drop(visit: Visit) -> Response:
    """Refuse what a colleague proposed, or take one's own proposal back."""
    seen = {"seen": visit.form.get("version", "")}
    refused = _act(visit, verbs.drop, seen)
    return refused or _done(visit, EventCode.CLASS_DROPPED)


def _act(visit: Visit, verb: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the verb returns
    """Run the verb; returns what it does, or the page that says why not."""
    try:
        return visit.act(access.on_case, visit, verb, arguments)
    except (NotFound, NotYours):
        raise
    except KentonganError as error:
        field = error.detail if type(error).__name__ == "CodeUnknown" else ""
        if type(error).__name__ == "ReasonNeeded":
            field = "reason"
        fresh = isinstance(error, Changed)
        problem = "CLASS_CHANGED" if fresh else type(error).__name__
        return _show(visit, problem=problem, field=field, fresh=fresh, status=409)


def _done(visit: Visit, code: EventCode) -> Response:
    number = visit.request.path_params["number"]
    return SeeOther(f"/cases/{number}/classification?done={code}")


def _show(
    visit: Visit,
    *,
    done: str = "",
    problem: str = "",
    field: str = "",
    fresh: bool = False,
    status: int = 200,
) -> Response:
    """Render the form; ``fresh``: as the case is now, not as it was sent."""
    conflicts.settle(visit)
    access.record_reading(visit)
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        found, unit = access.find(visit, session, visit.request.path_params["number"])
        opened = contents.read(visit, session, found)
        classed = panel(visit, session, found, officers.names(session, keys))
    values = {**classed.fields, "agency": opened.agency, "words": "", "reason": ""}
    if visit.form and "category" in visit.form:
        typed = {name: _text(visit, name) for name in ("agency", "words", "reason")}
        values |= typed if fresh else {**_typed(visit), **typed}
    elif visit.query.get("fill") == "words":
        values |= _as_read(opened)
    further = [*values["further"].split(), *[""] * MOST_FURTHER]
    return visit.page(
        "cases/classification.html",
        status=status,
        case=found,
        unit=unit,
        classed=classed,
        contents=opened,
        values=values,
        further=further[:MOST_FURTHER],
        lists=_lists(visit, classed.fields),
        fills=bool(_as_read(opened)),
        done=done,
        problem=problem,
        field=field,
    )


def _text(visit: Visit, name: str) -> str:
    return visit.form.get(name, "").replace("\r\n", "\n").strip()


def _typed(visit: Visit) -> dict[str, str]:
    """Return the fields that the form holds."""
    typed = {name: visit.form[name] for name in FIELDS if name in visit.form}
    others = [visit.form.get(f"{_OTHERS}{n}") for n in range(1, MOST_FURTHER + 1)]
    if any(one is not None for one in others):
        typed["further"] = " ".join(one for one in others if one)
    return typed


def _as_read(opened: Contents) -> dict[str, str]:
    """Return what the reporter's words suggest for the form."""
    read = opened.read_as
    names = {"position": "post", "category": "category", "track": "track"}
    filled = {names[what]: code for what, code in read.items() if what in names}
    if read.get("province"):
        filled |= {"province": read["province"], "regency": ""}
    if read.get("signs"):
        filled["urgency"] = Urgency.URGENT.name
    return filled


def _lists(visit: Visit, now: Mapping[str, str]) -> Mapping[str, Options]:
    """Return the choices of every list, the present code among them."""
    rules, words = visit.console.office.rulebook, visit.words()
    table = rules.classification

    def plain(name: str, codes: Iterable[str]) -> Options:
        return (("", [(code, words.classed(name, code)) for code in codes]),)

    def under(
        name: str, codes: Iterable[str], head: Callable[[str], str]
    ) -> list[tuple[str, list[tuple[str, str]]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for code in codes:
            found.setdefault(head(code), []).append((code, words.classed(name, code)))
        return list(found.items())

    def group(code: str) -> str:
        return words.group(code.partition("-")[0])

    categories = under("category", rules.categories, group)
    bare = [] if now["category"] in rules.categories else [now["category"]]
    return {
        "category": [*(plain("category", bare) if bare else ()), *categories],
        "further": [*plain("further", [""]), *categories],
        "post": plain("post", [*([] if now["post"] else [""]), *rules.positions]),
        "employment": plain("employment", ["", *table.employment]),
        "acting": plain("acting", ["", *table.acting]),
        "track": plain("track", table.order.track),
        "urgency": plain("urgency", table.order.urgency),
        "sp4n": plain("sp4n", ["", *table.sp4n]),
        "province": plain("province", ["", *rules.provinces.names]),
        "regency": [
            *plain("regency", [""]),
            *under(
                "regency", rules.regencies.names, lambda code: words.province(code[:2])
            ),
        ],
        "reason": (("", [(code, words.correction(code)) for code in table.reasons]),),
    }
