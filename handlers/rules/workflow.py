"""Which way a case may go: one table, read from ``rules/<jurisdiction>/workflow.toml``.

``Workflow.check`` refuses a step with an error that says what to do; ``moves`` lists
the steps for the console. Pure: no clock, no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from handlers.errors import (
    NotAllowed,
    ReasonNeeded,
    ReasonNotTaken,
    RulesInvalid,
    SecondOfficerNeeded,
)
from storage.words import Reason, Role, Status

_BEFORE = "BEFORE"
_FILE = "workflow.toml"


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


@dataclass(frozen=True, slots=True)
class Move:
    """One step that an officer may take: where to, with which reasons, by how many."""

    to: Status
    reasons: tuple[Reason, ...]
    four_eyes: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A status as the table tells it."""

    who: frozenset[Role]
    next: tuple[Status, ...]
    back: bool
    reasons: Mapping[Status, tuple[Reason, ...]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What holds for every move into a status."""

    hears: str
    hears_with_identity: str
    reasons: tuple[Reason, ...]
    four_eyes: FourEyes
    by_reporter: bool


@dataclass(frozen=True, slots=True)
class Workflow:
    """The whole table. Build it with ``from_data``."""

    places: Mapping[Status, _Place]
    entries: Mapping[Status, _Entry]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the parsed TOML. Raises ``RulesInvalid`` naming what is wrong in it."""
        try:
            places = {Status(name): _place(row) for name, row in data["status"].items()}
            entries = {Status(name): _entry(row) for name, row in data["into"].items()}
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise RulesInvalid(f"{_FILE}: {error}") from error
        for status in Status:
            if status not in places or status not in entries:
                raise RulesInvalid(f"{_FILE}: {status} is missing")
        return cls(places, entries)

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
    ) -> None:
        """Return when an officer may take this step, else raise what is missing.

        ``before`` is the status before NEEDS_INFO; ``with_identity`` says that a
        referral carries the reporter's identity. Raises, in this order, ``NotAllowed``,
        ``ReasonNeeded`` or ``ReasonNotTaken``, ``SecondOfficerNeeded``: the last one
        means that all else is well and a colleague's approval may be asked for.
        """
        moves = self.moves(case_status, role, before, with_identity=with_identity)
        move = next((move for move in moves if move.to is to), None)
        if move is None:
            raise NotAllowed(f"{case_status} -> {to}")
        if move.reasons and reason not in move.reasons:
            raise ReasonNeeded(" ".join(move.reasons))
        if reason and not move.reasons:
            raise ReasonNotTaken
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
                place.reasons.get(to, self.entries[to].reasons),
                self.entries[to].four_eyes.needed(with_identity=with_identity),
            )
            for to in targets
            if not self.entries[to].by_reporter
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

    def hears(self, to: Status, *, with_identity: bool = False) -> str:
        """Return the msgid that the reporter hears on entering ``to``; may be ``""``."""
        entry = self.entries[to]
        return entry.hears_with_identity if with_identity else entry.hears

    def _came_from(self, status: Status, before: Status) -> bool:
        return self.places[status].back and status in self.places[before].next


def _place(row: Mapping[str, Any]) -> _Place:
    _known(row, ("who", "next", "only"))
    only = row.get("only", {})
    return _Place(
        who=frozenset(Role(name) for name in row["who"]),
        next=tuple(Status(name) for name in row["next"] if name != _BEFORE),
        back=_BEFORE in row["next"],
        reasons={Status(to): _reasons(rule["reasons"]) for to, rule in only.items()},
    )


def _entry(row: Mapping[str, Any]) -> _Entry:
    _known(row, ("hears", "hears_with_identity", "reasons", "four_eyes", "by"))
    by = row.get("by", "officer")
    if by not in {"officer", "reporter"}:
        raise ValueError(f"{by!r} may set no status")
    return _Entry(
        hears=row["hears"],
        hears_with_identity=row.get("hears_with_identity", row["hears"]),
        reasons=_reasons(row.get("reasons", ())),
        four_eyes=FourEyes(row.get("four_eyes", FourEyes.NEVER)),
        by_reporter=by == "reporter",
    )


def _reasons(codes: Sequence[str]) -> tuple[Reason, ...]:
    return tuple(Reason(code) for code in codes)


def _known(row: Mapping[str, Any], keys: Sequence[str]) -> None:
    unknown = set(row) - set(keys)
    if unknown:
        raise ValueError(f"unknown key {min(unknown)}")
