"""The server key changes: everything that no person is needed for is written anew under it.

Table by table, in short transactions, while no server runs. A row is first checked under
the key that wrote it, so that nothing planted becomes ours. A rotation that was stopped
half-way goes on when it is run again: until then the ring opens what either id wrote.
What stays under an older id says why in ``storage.rekeying.places``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import inspect
from sqlmodel import Session, delete, or_, select

from storage import models
from storage.audit import installation, log, manifests
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import leases
from storage.rekeying import places
from storage.rekeying.rewriting import STEPS, Step

SETTING = "server_key"
AT_ONCE = 200
_FIRST = "-"


class RotationUnfinished(Exception):
    """The server key has an id that this store was not yet written under.

    Raised with the line that says what to do.
    """


class KeyMissing(Exception):
    """The server key lacks an id that this store needs."""


class ServerRuns(Exception):
    """A server works on this store; stop it first, then run this again."""


@dataclass(slots=True)
class Outcome:
    """What a rotation did: rows written anew, and rows that are not ours and stay."""

    rewritten: int = 0
    left: dict[str, int] = field(default_factory=dict)


def require(session: Session, keys: ServerKeys, *, finished: bool = True) -> None:
    """Raise KeyMissing or RotationUnfinished unless the ring fits this store."""
    known = ids(session, keys)
    missing = sorted(set(known) - set(keys.ring))
    if missing:
        raise KeyMissing(
            f"the server key has no line {missing[0]}, which this store still needs; "
            "put it back from your copy"
        )
    if finished and keys.newest != max(known):
        raise RotationUnfinished(
            f"the server key has a new line {keys.newest}, and this store is not yet "
            "written under it; run `kentongan keys rotate`"
        )


def ids(session: Session, keys: ServerKeys) -> dict[int, date | None]:
    """Return each id that this store was written under, and since when (None: at first)."""
    text = installation.get_setting(session, keys, SETTING)
    if not text:
        return {min(keys.ring): None}
    found: dict[int, date | None] = {}
    for part in text.split():
        number, _, day = part.partition(":")
        found[int(number)] = None if day == _FIRST else date.fromisoformat(day)
    return found


def forget_id(session: Session, keys: ServerKeys, key_id: int) -> None:
    """Let an id not be missed any more, because nothing needs it."""
    known = ids(session, keys)
    known.pop(key_id, None)
    installation.set_setting(session, keys, SETTING, _text(known))


def run(database: Database, keys: ServerKeys, *, now: datetime, day: date) -> Outcome:
    """Write everything under the newest id that can be; ``day`` is the agency's.

    Raises ServerRuns, KeyMissing, NotAuthentic (of this installation's own facts).
    """
    with database.reading() as session:
        require(session, keys, finished=False)
    refuse_running(database, now=now)
    outcome = Outcome()
    for step in STEPS:
        with database.reading() as session:
            due = _due(session, keys, step)
        for start in range(0, len(due), AT_ONCE):
            with database.writing() as session:
                some = due[start : start + AT_ONCE]
                _rewrite(session, keys, step, some, outcome)
    with database.writing() as session:
        _finish(session, keys, now, day)
    database.scrub()
    return outcome


def refuse_running(database: Database, *, now: datetime) -> None:
    """Raise ServerRuns while somebody holds a lease on this store."""
    with database.reading() as session:
        until = leases.held_until(session, now=now)
    if until is not None:
        raise ServerRuns(
            "a server works on this store: stop it, then run this again (one that was "
            f"killed counts until {until:%H:%M:%S} UTC)"
        )


def _finish(session: Session, keys: ServerKeys, now: datetime, day: date) -> None:
    """Write down since when the newest id counts; sessions and links to press end."""
    session.exec(delete(models.Session))
    session.exec(delete(models.LinkToken))
    known = ids(session, keys)
    if keys.newest in known:
        return
    known[keys.newest] = day
    installation.set_setting(session, keys, SETTING, _text(known))
    detail = str(keys.newest)
    log.record(session, keys, "keys.rotated", officer=None, detail=detail, now=now)
    manifests.witness(session, keys, now=now)


def _text(known: dict[int, date | None]) -> str:
    return " ".join(
        f"{number}:{day.isoformat() if day else _FIRST}"
        for number, day in sorted(known.items())
    )


def _due(session: Session, keys: ServerKeys, step: Step) -> list[tuple[Any, ...]]:
    """Return the primary keys of the rows that are not under the newest id yet."""
    table = inspect(step.model).local_table
    old = [
        places.stale(place, keys.newest)
        for place in places.PLACES
        if place.table == table.name and not place.stays
    ]
    query = select(*table.primary_key.columns).where(or_(*old))
    return [tuple(row) for row in session.connection().execute(query)]


def _rewrite(
    session: Session,
    keys: ServerKeys,
    step: Step,
    some: Sequence[tuple[Any, ...]],
    outcome: Outcome,
) -> None:
    for name in some:
        row = session.get(step.model, name, with_for_update=True)
        if row is None:
            continue
        try:
            step.rewrite(session, keys, row)
        except NotAuthentic:
            table = str(inspect(step.model).local_table.name)
            outcome.left[table] = outcome.left.get(table, 0) + 1
        else:
            outcome.rewritten += 1
    session.flush()
