"""What a form was made for: of each part of a case a short hash, in one line of text.

A form carries the line; the verb's transaction compares the parts on which the verb
depends. The history's head is none of them: a colleague's glance moves it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias

from storage.models import Case, Event, Reveal
from storage.words import ActorClass, EventCode, Status

_SHORT: Final = 10
_ERASURE: Final = "erasure"


class Part(StrEnum):
    """What of a case may change under an officer's eyes."""

    STATUS = "status"
    PROPOSAL = "proposal"
    OWNER = "owner"
    UNIT = "unit"
    CODES = "codes"
    HOLD = "hold"
    NEWS = "news"
    """What the reporter sent."""
    REQUESTS = "requests"
    """What the reporter asked about their own data, and what was answered."""
    ASKED = "asked"
    REVEALS = "reveals"
    """What was asked, granted, refused or ended of an identity or an original."""
    CONFLICTS = "conflicts"
    NOTED = "noted"


Version: TypeAlias = Mapping[Part, str]

_REPORTERS: Final = frozenset(
    {EventCode.ITEM, EventCode.WITHDRAWN, EventCode.ERASED, EventCode.REQUESTED}
)
_RIGHTS: Final = frozenset({EventCode.REQUESTED, EventCode.ANSWERED})
_REVEALS: Final = frozenset(
    {EventCode.REVEAL_ASKED, EventCode.REVEAL_GRANTED}
    | {EventCode.REVEAL_REFUSED, EventCode.REVEAL_ENDED}
)


def of(case: Case, events: Sequence[Event]) -> Version:
    """Return a case's version; ``events`` are all of its history in order."""
    told: dict[Part, tuple[object, ...]] = {
        Part.STATUS: (case.status, case.before, case.reason, case.purged),
        Part.PROPOSAL: (
            *(case.wanted_status, case.wanted_reason, case.wanted_by),
            _last(events, proposes),
        ),
        Part.OWNER: (case.officer,),
        Part.UNIT: (case.unit,),
        Part.CODES: (
            *(case.category, case.track, case.urgency, case.position),
            *(case.province, case.reporter_withdrawn),
        ),
        Part.HOLD: (case.hold,),
        Part.NEWS: (_last(events, _is_news),),
        Part.REQUESTS: (_last(events, _is_about_data),),
        Part.ASKED: (_last(events, _is(EventCode.ASKED)),),
        Part.REVEALS: (_last(events, _is(*_REVEALS)),),
        Part.CONFLICTS: (_last(events, _is(EventCode.CONFLICT)),),
        Part.NOTED: (_last(events, _is(EventCode.NOTED)),),
    }
    return {part: _short(values) for part, values in told.items()}


def of_reveal(row: Reveal, case: Case) -> str:
    """Return on what a form about one request to open depends.

    Its state, who decided, until when, and whether the reporter can be told.
    """
    return _short(
        (row.state, row.custodian, row.ends, case.unit, case.reporter_key is None)
    )


def write(version: Version) -> str:
    """Return a version as a form carries it."""
    return ".".join(version[part] for part in Part)


def read(written: str) -> Version:
    """Return what ``write`` wrote; anything else is a version that no case has."""
    parts = written.split(".")
    return dict(zip(Part, parts, strict=True)) if len(parts) == len(Part) else {}


def changed(
    shown: Version, now: Version, depends: Collection[Part]
) -> tuple[Part, ...]:
    """Return which of these parts are other than they were shown."""
    return tuple(
        part for part in Part if part in depends and shown.get(part) != now[part]
    )


def proposes(event: Event) -> bool:
    """Tell whether a line of the history proposes a step."""
    asked = event.code == EventCode.APPROVAL_ASKED
    return asked and event.detail.partition(":")[0] in set(Status)


def proposal(events: Sequence[Event]) -> int:
    """Return the number of the line that proposed a step last, 0 where none did."""
    return _last(events, proposes)


def _is_news(event: Event) -> bool:
    return event.actor_class == ActorClass.REPORTER and event.code in _REPORTERS


def _is_about_data(event: Event) -> bool:
    return event.code in _RIGHTS or event.detail == _ERASURE


def _is(*codes: EventCode) -> Callable[[Event], bool]:
    return lambda event: event.code in codes


def _last(events: Sequence[Event], wanted: Callable[[Event], bool]) -> int:
    return next((event.seq for event in reversed(events) if wanted(event)), 0)


def _short(values: tuple[object, ...]) -> str:
    return sha256(repr(values).encode()).hexdigest()[:_SHORT]
