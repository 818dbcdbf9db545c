"""Which unit gets a report, and how urgent it is: pure, from the coded answers alone.

Answers are choice codes keyed by step (``{"Q06": "COR-09", "Q09": "KDH"}``). A free text
that strays into them is never passed on: what is no code is dropped.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from handlers.errors import NoDefaultRoute, TooManyEntryUnits
from storage.words import CONFLICTED, Group, PositionClass, Track, Urgency

MOST_ENTRY_UNITS = 8

CATEGORY, PLACE, POSITION, _SAFETY = "Q06", "Q07", "Q09", "Q18"
_TPK = frozenset({Group.COR, Group.PRC, Group.POS})
_SUBCATEGORY = re.compile(r"[A-Z]{3}-[0-9]{2}[A-Z]?", re.ASCII)
_PROVINCE = re.compile(r"[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """Reports that fit every condition go to the unit; None fits everything.

    Of routes that are equally narrow the smaller ``priority`` wins.
    """

    group: Group | None
    province: str | None
    position: PositionClass | None
    unit_id: str
    priority: int = 0

    def fits(self, group: Group, province: str, position: PositionClass) -> bool:
        """Tell whether a report of this kind may go this way."""
        return (
            self.group in {None, group}
            and self.province in {None, province}
            and self.position in {None, position}
        )

    @property
    def conditions(self) -> int:
        """Return how many conditions the route states."""
        return sum(
            value is not None for value in (self.group, self.province, self.position)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a report goes, and the coarse facts that may stand in clear on the case.

    ``province`` and ``subcategory`` are ``""`` when not known, ``position`` never tells that
    one of our own people is reported.
    """

    unit: str
    group: Group
    track: Track
    urgency: Urgency
    province: str
    position: PositionClass
    subcategory: str


@dataclass(frozen=True, slots=True)
class Lead:
    """What routing goes by: the reporter's answers, and what their own words were read as.

    ``answers`` are codes by step, the stricter of word and button in each. ``suggested``
    is what an officer is shown of the reading: codes by their names, none for none.
    """

    answers: Mapping[str, str] = field(repr=False)
    is_corruption: bool = False
    is_urgent: bool = False
    suggested: Mapping[str, str] = field(default_factory=dict, repr=False)


def route(lead: Lead, routes: Sequence[Route]) -> Decision:
    """Decide about a report.

    A report on a regional head or on our own people goes by a route for them wherever one
    fits, however narrow the others are: they must not handle it. Otherwise the narrowest
    route wins. Raises ``NoDefaultRoute`` when none fits.
    """
    answers = lead.answers
    code = answers.get(CATEGORY, "")
    group = _group(code)
    province = answers.get(PLACE, "")
    if not _PROVINCE.fullmatch(province):
        province = ""
    position = _position(answers.get(POSITION, ""))
    fitting = [way for way in routes if way.fits(group, province, position)]
    if not fitting:
        raise NoDefaultRoute
    best = min(fitting, key=lambda way: _rank(way, position))
    if position is PositionClass.INS:
        position = PositionClass.UNK
    return Decision(
        unit=best.unit_id,
        group=group,
        track=Track.TPK if lead.is_corruption or group in _TPK else Track.NON_TPK,
        urgency=Urgency.URGENT
        if lead.is_urgent
        else _urgency(group, answers.get(_SAFETY, "")),
        province=province,
        position=position,
        subcategory=code if _SUBCATEGORY.fullmatch(code) else "",
    )


def entry_units(routes: Sequence[Route]) -> tuple[str, ...]:
    """Return the units that a report may reach, each once, in the routes' order.

    A draft is sealed to all of them, so there are at most 8: ``TooManyEntryUnits``.
    ``NoDefaultRoute`` when some report would find no unit: better no draft than a
    report that cannot be sent.
    """
    if all(way.conditions for way in routes):
        raise NoDefaultRoute
    units = tuple(dict.fromkeys(way.unit_id for way in routes))
    if len(units) > MOST_ENTRY_UNITS:
        raise TooManyEntryUnits(str(len(units)))
    return units


def _rank(way: Route, position: PositionClass) -> tuple[bool, int, int, str]:
    conflict = position in CONFLICTED and way.position is position
    return not conflict, -way.conditions, way.priority, way.unit_id


def _group(code: str) -> Group:
    try:
        return Group(code.partition("-")[0])
    except ValueError:
        return Group.OTH


def _position(code: str) -> PositionClass:
    try:
        return PositionClass(code)
    except ValueError:
        return PositionClass.UNK


def _urgency(group: Group, safety: str) -> Urgency:
    if group is Group.RET or safety == "THREATENED":
        return Urgency.URGENT
    return Urgency.HIGH if safety == "WORRIED" else Urgency.NORMAL
