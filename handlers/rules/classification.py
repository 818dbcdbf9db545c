"""What an officer may correct on a case, why, and what takes a second one: a table. Pure."""

from collections.abc import Container, Iterable, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from handlers.errors import CodeUnknown
from handlers.rules.rulefile import NAME, Entry, Table, Term, having
from storage.words import Group, PositionClass, Sp4n, Track, Urgency

FIELDS: Final = (
    *("category", "further", "post", "employment", "acting"),
    *("track", "urgency", "sp4n", "province", "regency"),
)
"""What an officer may correct by codes; "further" holds several, with a space between."""
MOST_FURTHER: Final = 3
_PROVINCE: Final = 2


def _each_of(codes: Iterable[str]) -> AfterValidator:
    """Refuse an order that does not name each of these codes once."""
    wanted = sorted(codes)

    def check(order: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(order) != wanted:
            raise ValueError(f"must name each of {', '.join(wanted)} once")
        return order

    return AfterValidator(check)


class _Order(Entry):
    """Codes from the strictest to the mildest."""

    track: Annotated[tuple[str, ...], _each_of(Track.__members__)]
    urgency: Annotated[tuple[str, ...], _each_of(Urgency.__members__)]


class _Above(Entry):
    positions: frozenset[PositionClass]


class _Brings(Entry):
    """What a main category of these groups brings along; "" for nothing."""

    groups: frozenset[Group]
    track: str = ""
    urgency: str = ""


class _Sp4n(Term):
    code: Sp4n = Field(validation_alias=NAME)


class Classification(Entry):
    """``classification.toml``, as it stands in the file."""

    order: _Order
    above: _Above
    brings: tuple[_Brings, ...] = ()
    employment: Table[Term]
    acting: Table[Term]
    sp4n: Annotated[Table[_Sp4n], having(Sp4n)]
    reasons: Table[Term] = Field(validation_alias="reason")

    def lowers(self, field: str, old: str, new: str) -> bool:
        """Tell whether a change makes a case milder, which takes a second officer.

        ``field`` is "track" or "urgency" with its codes, or "position" with classes; other
        fields have no order.
        """
        if field == "position":
            return self.leaves_above(old, new) and new not in self.above.positions
        order: tuple[str, ...] = getattr(self.order, field, ())
        return bool(order) and order.index(new) > order.index(old)

    def leaves_above(self, old: str, new: str) -> bool:
        """Tell whether a class of position goes that only the unit above us takes away."""
        return old in self.above.positions and old != new

    def brought(self, group: Group, field: str, old: str) -> str:
        """Return the code of "track" or "urgency" that goes with a main category's group.

        It is ``old`` unless the table names a stricter one.
        """
        order: tuple[str, ...] = getattr(self.order, field)
        codes = [old]
        codes += (getattr(row, field) for row in self.brings if group in row.groups)
        return min(filter(None, codes), key=order.index)

    def complete(
        self,
        now: Mapping[str, str],
        sent: Mapping[str, str],
        known: Mapping[str, Container[str]],
    ) -> dict[str, str]:
        """Return all fields as they should be, with what one brings along.

        A regency brings its province, a category what the table says, unless the officer
        changed both. Raises CodeUnknown with the field's name for a new code that is not
        ``known`` for it.
        """
        to = {name: sent.get(name, now[name]) for name in FIELDS}
        changed = {name for name in FIELDS if to[name] != now[name]}
        further = dict.fromkeys(to["further"].split())
        to["further"] = " ".join(code for code in further if code != to["category"])
        _place(to, changed)
        for name in changed:
            several = to[name].split() if name == "further" else [to[name]]
            if len(several) > MOST_FURTHER or not all(
                c in known[name] for c in several
            ):
                raise CodeUnknown(name)
        if "category" in changed:
            group = Group(to["category"].partition("-")[0])
            for name in {"track", "urgency"} - changed:
                to[name] = self.brought(group, name, now[name])
        return to


def _place(to: dict[str, str], changed: Container[str]) -> None:
    """Let a regency and its province fit each other. Raises CodeUnknown."""
    if "regency" in changed and "province" not in changed:
        to["province"] = to["regency"][:_PROVINCE] or to["province"]
    elif "province" in changed and "regency" not in changed:
        to["regency"] = ""
    if to["regency"] and to["regency"][:_PROVINCE] != to["province"]:
        raise CodeUnknown("regency")
