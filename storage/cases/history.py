"""A case's history: one HMAC chain per case, its head in the case row.

Nothing erasable stands in it: codes, days, officers and hashes of sealed blobs. What a
reporter does is told by the day, what an officer does by the second.
"""

import hmac
import secrets
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import NamedTuple

from sqlmodel import Session, col, select

from storage.crypto.sealing import encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.models import AuditLine, Case, Event, Item
from storage.words import ActorClass, Audience, EventCode

START = bytes(32)
_UNNAMED = _HEX = 32
_NEW_KEY = "new_key"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. ``at`` (UTC) is told for officers only, never for a reporter."""

    actor_class: ActorClass
    officer: bytes | None = None
    at: datetime | None = None


REPORTER = Actor(ActorClass.REPORTER)
SYSTEM = Actor(ActorClass.SYSTEM)


def append(
    session: Session,
    keys: ServerKeys,
    case: Case,
    code: EventCode,
    *,
    by: Actor,
    day: date,
    detail: str = "",
    item_hash: bytes | None = None,
) -> Event:
    """Add one line to the chain and move the head; the caller re-tags and saves the case.

    ``day`` is the agency's local day. ``detail`` is a code such as a status or a reason,
    never text.
    """
    line = _next(keys, case, code, by=by, day=day, detail=detail, item_hash=item_hash)
    session.add(event := Event(**line._asdict()))
    return event


def begin(
    session: Session, keys: ServerKeys, case: Case, items: Sequence[bytes], *, day: date
) -> None:
    """Write the first lines of a new case: that it was opened, and the hash of each item."""
    lines = [_next(keys, case, EventCode.OPENED, by=REPORTER, day=day)]
    lines += [
        _next(keys, case, EventCode.ITEM, by=REPORTER, day=day, item_hash=item)
        for item in items
    ]
    _ADD.many(session, [line._asdict() for line in lines])


class Line(NamedTuple):
    """The columns of an event."""

    id: bytes
    report: bytes
    seq: int
    code: str
    actor_class: str
    officer: bytes | None
    day: date
    at: datetime | None
    detail: str
    item_hash: bytes | None
    mac: bytes = b""


_ADD = Statement.insert("events", Line._fields)


def _next(
    keys: ServerKeys,
    case: Case,
    code: EventCode,
    *,
    by: Actor,
    day: date,
    detail: str = "",
    item_hash: bytes | None = None,
) -> Line:
    """Return the next line of a case's chain, and move the head."""
    line = Line(
        id=secrets.token_bytes(16),
        report=case.report,
        seq=case.head_seq + 1,
        code=code.value,
        actor_class=by.actor_class.value,
        officer=by.officer,
        day=day,
        at=by.at.replace(microsecond=0) if by.at is not None else None,
        detail=detail,
        item_hash=item_hash,
    )
    line = line._replace(mac=_mac(keys, case.head, line, keys.newest))
    case.head, case.head_seq = line.mac, line.seq
    return line


def short(head: bytes) -> str:
    """Return what the audit log keeps of a history's head: 128 bits of it as hex."""
    return head.hex()[:_HEX]


def is_behind(session: Session, case: Case) -> bool:
    """Tell whether the audit log knows a later act of an officer than this history does.

    Then the case is an older copy that somebody put back, though every row of it is ours.
    """
    known = session.exec(
        select(AuditLine.detail)
        .where(AuditLine.report == case.report)
        .where(col(AuditLine.code).startswith("case."))
        .order_by(col(AuditLine.seq).desc())
        .limit(1)
    ).first()
    if known is None:
        return False
    macs = session.exec(select(Event.mac).where(Event.report == case.report))
    return all(short(mac) != known for mac in macs)


def of_case(session: Session, report: bytes) -> list[Event]:
    """Return a case's events in order."""
    return list(
        session.exec(
            select(Event).where(Event.report == report).order_by(col(Event.seq))
        ).all()
    )


def first_broken(session: Session, keys: ServerKeys, case: Case) -> int | None:
    """Return the seq of the first line that was changed, removed or added by hand.

    None when the chain is whole and ends at the head in the case row.
    """
    mac = START
    expected = 0
    for event in of_case(session, case.report):
        expected += 1
        if event.seq != expected or not _is_ours(keys, mac, event):
            return expected
        mac = event.mac
    if expected != case.head_seq or not hmac.compare_digest(mac, case.head):
        return expected + 1
    return None


def missing_items(session: Session, case: Case) -> int:
    """Return how many items are gone that the history names, or there that it does not.

    What a reporter erased is not missing: the event that erased names, in one hash, what
    was left. What the reporter alone holds (sealed at the receipt) is in no history.
    """
    events, there = _counting(session, case), _items(session, case.report)
    named = {event.item_hash for event in events if not erases(event)}
    unknown = sum(known and item not in named for item, known in there.items())
    return len(_lost(events, there)) + unknown


def left(session: Session, case: Case) -> bytes:
    """Return one hash over the items that are left, for an event that erased some."""
    there = _items(session, case.report)
    return _digest(_counting(session, case), there, case.head_seq + 1)


def vouched(session: Session, case: Case) -> tuple[list[bytes], list[bytes]]:
    """Return the hashes of items that the history names: those there, those missing."""
    events, there = _counting(session, case), _items(session, case.report)
    named = [e.item_hash for e in events if e.item_hash and not erases(e)]
    return [one for one in named if one in there], _lost(events, there)


def name_anew(
    session: Session,
    keys: ServerKeys,
    case: Case,
    hashes: Sequence[bytes],
    *,
    by: Actor,
    day: date,
) -> None:
    """Name what was sealed anew; what was named before counts no more.

    Give what ``vouched`` called missing too, so that it stays missing.
    """
    code = EventCode.RESEALED
    append(session, keys, case, code, by=by, day=day, detail=_NEW_KEY)
    for one in hashes:
        append(session, keys, case, code, by=by, day=day, item_hash=one)


def hand_over(from_unit: bytes, to_unit: bytes) -> str:
    """Return the detail of a hand-over: the ids of both units."""
    return f"{from_unit.hex()}:{to_unit.hex()}"


def handed_over(event: Event) -> tuple[bytes, bytes] | None:
    """Return from which unit a case went to which; None for any other event."""
    if event.code != EventCode.HANDED_OVER:
        return None
    was, _, now = event.detail.partition(":")
    try:
        return bytes.fromhex(was), bytes.fromhex(now)
    except ValueError:
        return None  # a line that was changed by hand; the chain says so


def _counting(session: Session, case: Case) -> list[Event]:
    """Return the events whose names of items count: those since the last new key."""
    events = of_case(session, case.report)
    last = max((event.seq for event in events if begins_anew(event)), default=0)
    return [event for event in events if event.seq >= last]


def begins_anew(event: Event) -> bool:
    """Tell whether a case got a new key here, so that its items are named anew."""
    return event.code == EventCode.RESEALED and event.detail == _NEW_KEY


def _lost(events: Sequence[Event], there: Container[bytes]) -> list[bytes]:
    """Return the names of what is gone without a line that erased it."""
    named = {e.item_hash: e.seq for e in events if e.item_hash and not erases(e)}
    last = next((event for event in reversed(events) if erases(event)), None)
    cut = last.seq if last is not None else 0
    lost = [item for item, seq in named.items() if seq > cut and item not in there]
    if last is not None and last.item_hash != _digest(events, there, cut):
        lost.append(last.item_hash or START)
    return lost


def erases(event: Event) -> bool:
    """Tell whether this line erased items; it names what was left."""
    return event.code in {EventCode.ERASED, EventCode.WITHDRAWN, EventCode.PURGED}


def _items(session: Session, report: bytes) -> dict[bytes, bool]:
    """Return the hash of each item, and whether the history must name it."""
    rows = session.exec(
        select(Item.blob, Item.audience, Item.by_officer).where(Item.report == report)
    )
    return {
        sha256(blob).digest(): by_officer or audience != Audience.REPORTER
        for blob, audience, by_officer in rows
    }


def _digest(events: Sequence[Event], there: Container[bytes], before: int) -> bytes:
    named = {e.item_hash for e in events if e.seq < before and not erases(e)}
    kept = sorted(item for item in named if item is not None and item in there)
    return sha256(encode(b"left", *kept)).digest()


def _is_ours(keys: ServerKeys, previous: bytes, event: Event) -> bool:
    """Check a line under the key that it names; one of old, which names none, under the oldest."""
    if len(event.mac) == _UNNAMED:
        ours = _mac(keys, previous, event, min(keys.ring))[1:]
    elif event.mac and event.mac[0] in keys.ring:
        ours = _mac(keys, previous, event, event.mac[0])
    else:
        return False
    return hmac.compare_digest(event.mac, ours)


def _mac(keys: ServerKeys, previous: bytes, event: Event | Line, key_id: int) -> bytes:
    content = encode(
        previous,
        event.report,
        str(event.seq).encode(),
        event.code.encode(),
        event.actor_class.encode(),
        event.officer or b"",
        event.day.isoformat().encode(),
        event.at.isoformat().encode() if event.at else b"",
        event.detail.encode(),
        event.item_hash or b"",
    )
    key = keys.sub_key(Purpose.HISTORY, key_id)
    return bytes((key_id,)) + hmac.digest(key, content, "sha256")
