"""Which way a case may go: one table, read from ``rules/<jurisdiction>/workflow.toml``.

``Workflow.check`` refuses a step with an error that says what to do; ``moves`` lists
the steps for the console. Pure: no clock, no database.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from handlers.errors import (
    NameNeeded,
    NotAllowed,
    ReasonNeeded,
    ReasonNotTaken,
    SecondOfficerNeeded,
)
from handlers.rules.rulefile import Count, Entry, having
from storage.words import Reason, Role, Status, Urgency

_BEFORE = "BEFORE"


class FourEyes(StrEnum):
    """When a second officer must approve a step."""

    NEVER = "never"
    WITH_IDENTITY = "with_identity"
    ALWAYS = "always"

    def needed(self, *, with_identity: bool) -> bool:
        """Tell whether this step needs a second officer."""
        return self is FourEyes.ALWAYS or (
            self is FourEyes.WITH_IDENTITY and with_identity
        )


class Names(StrEnum):
    """What an officer must name with a step, so that nobody's report just goes away."""

    CASE = "case"
    PARTNER = "partner"
    ADDRESS = "address"

    @property
    def is_told(self) -> bool:
        """Tell whether the reporter reads it; another report is nothing they may know."""
        return self is not Names.CASE


@dataclass(frozen=True, slots=True)
class Move:
    """One step that an officer may take: where to, with which reasons, by how many."""

    to: Status
    reasons: tuple[Reason, ...]
    four_eyes: bool


def _without_before(names: object) -> object:
    return [n for n in names if n != _BEFORE] if isinstance(names, list) else names


def _has_before(names: object) -> bool:
    return isinstance(names, list) and _BEFORE in names


class _Only(Entry):
    reasons: tuple[Reason, ...]


class _Place(Entry):
    """A status as the table tells it; ``back``: it may go to the status it had before."""

    who: frozenset[Role]
    next: Annotated[tuple[Status, ...], BeforeValidator(_without_before)]
    back: Annotated[bool, BeforeValidator(_has_before)] = Field(validation_alias="next")
    only: dict[Status, _Only] = Field(default_factory=dict)


class _Into(Entry):
    """What holds for every move into a status."""

    hears: str
    hears_with_identity: str | None = None
    reasons: tuple[Reason, ...] = ()
    four_eyes: FourEyes = FourEyes.NEVER
    names: Names | None = None
    names_for: dict[Reason, Names] = Field(default_factory=dict)
    by: Literal["officer", "reporter"] = "officer"


class Workflow(Entry):
    """The whole table, as it stands in the file."""

    places: Annotated[dict[Status, _Place], having(Status)] = Field(
        validation_alias="status"
    )
    entries: Annotated[dict[Status, _Into], having(Status)] = Field(
        validation_alias="into"
    )
    absent_after: Annotated[dict[str, Count], having(one.name for one in Urgency)] = (
        Field(default_factory=lambda: {"URGENT": 1, "HIGH": 3, "NORMAL": 3})
    )

    def check(
        self,
        case_status: Status,
        to: Status,
        *,
        role: Role,
        reason: Reason | None,
        before: Status | None,
        approved_by_second: bool,
        with_identity: bool = False,
        is_named: bool = False,
    ) -> None:
        """Return when an officer may take this step, else raise what is missing.

        ``before`` is the status before NEEDS_INFO; ``with_identity`` says that a
        referral carries the reporter's identity, ``is_named`` that what ``names`` wants
        is there. Raises, in this order, ``NotAllowed``, ``ReasonNeeded`` or
        ``ReasonNotTaken``, ``NameNeeded``, ``SecondOfficerNeeded``: the last one means
        that all else is well and a colleague's approval may be asked for.
        """
        moves = self.moves(case_status, role, before, with_identity=with_identity)
        move = next((move for move in moves if move.to is to), None)
        if move is None:
            raise NotAllowed(f"{case_status} -> {to}")
        if move.reasons and reason not in move.reasons:
            raise ReasonNeeded(" ".join(move.reasons))
        if reason and not move.reasons:
            raise ReasonNotTaken
        names = self.names(to, reason)
        if names and not is_named:
            raise NameNeeded(names)
        if move.four_eyes and not approved_by_second:
            raise SecondOfficerNeeded

    def moves(
        self,
        status: Status,
        role: Role,
        before: Status | None,
        *,
        with_identity: bool = False,
    ) -> tuple[Move, ...]:
        """Return every step open to an officer of this role, in the table's order."""
        place = self.places[status]
        if role not in place.who:
            return ()
        targets = place.next
        if before and self._came_from(status, before):
            if role not in self.places[before].who:
                return ()
            targets = (before, *targets)
        return tuple(
            Move(
                to,
                (place.only.get(to) or into).reasons,
                into.four_eyes.needed(with_identity=with_identity),
            )
            for to in targets
            if (into := self.entries[to]).by == "officer"
        )

    def withdrawal_effect(
        self, status: Status, before: Status | None = None
    ) -> Status | None:
        """Return the status that a reporter's withdrawal leads to, or None.

        None means that the status stays and the case only gets the flag
        ``reporter_withdrawn``: the agency decides whether to go on. A case that waits
        for an answer counts as standing where it stood ``before``.
        """
        place = self.places[status]
        if before and self._came_from(status, before):
            place = self.places[before]
        return Status.WITHDRAWN if Status.WITHDRAWN in place.next else None

    def names(self, to: Status, reason: Reason | None) -> Names | None:
        """Return what a step with this reason must name, None where nothing."""
        into = self.entries[to]
        own = into.names_for.get(reason) if reason else None
        return own or into.names

    def hears(self, to: Status, *, with_identity: bool = False) -> str:
        """Return the msgid that the reporter hears on entering ``to``; may be ``""``."""
        into = self.entries[to]
        own = into.hears_with_identity if with_identity else None
        return into.hears if own is None else own

    def _came_from(self, status: Status, before: Status) -> bool:
        return self.places[status].back and status in self.places[before].next
