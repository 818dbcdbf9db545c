"""Letters that wait for one person: read and changed before they leave.

Only letters that nobody is sending are touched: one under a lease may be on its way. A
row that another transaction holds is passed over, so that nobody waits for anybody
here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from storage import outbox
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.letters.letter import FIRST, PRIORITIES, Letter
from storage.models import OutboxRow
from storage.words import Channel, LetterKind


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that has not begun to leave. ``failed`` is why it was given up, if it was."""

    id: int
    letter: Letter
    order_name: bytes
    expires: datetime
    failed: str


def letters(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> Iterator[Waiting]:
    """Yield what waits for a person and nobody is sending, in its order, held."""
    names = keys.look_ups(Purpose.ORDER, channel, handle)
    rows = session.exec(
        select(OutboxRow)
        .where(
            col(OutboxRow.order_name).in_(names), col(OutboxRow.lease_until).is_(None)
        )
        .order_by(col(OutboxRow.id))
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        letter = outbox.letter_of(keys, row)
        if letter is not None:
            yield Waiting(
                row.id or 0, letter, row.order_name, row.expires, row.failed or ""
            )


def notices(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, case: str
) -> list[Waiting]:
    """Return the notices about a case (hex) that wait, oldest first.

    Those that failed are deleted: whoever asks has something newer to tell.
    """
    found = [
        one
        for one in letters(session, keys, channel, handle)
        if one.letter.kind is LetterKind.NOTICE and one.letter.case == case
    ]
    for one in found:
        if one.failed:
            drop(session, one)
    return [one for one in found if not one.failed]


def drop(session: Session, waiting: Waiting) -> None:
    """Delete a letter that waits."""
    session.delete(session.get_one(OutboxRow, waiting.id))
    session.flush()


def expired(session: Session, keys: ServerKeys, *, now: datetime) -> list[Letter]:
    """Return the notices past their end that nobody holds and that did not fail before."""
    query = select(OutboxRow).where(
        col(OutboxRow.expires) < now,
        col(OutboxRow.priority) == PRIORITIES[LetterKind.NOTICE],
        or_(col(OutboxRow.lease_until).is_(None), col(OutboxRow.lease_until) < now),
        col(OutboxRow.failed).is_(None),
    )
    found = (outbox.letter_of(keys, row) for row in session.exec(query).all())
    return [letter for letter in found if letter is not None]


def twin(session: Session, keys: ServerKeys, letter: Letter) -> Waiting | None:
    """Return the letter that waits and tells the same person of the same; held.

    Found by its keyed name: no other letter is opened, however many wait.
    """
    rows = session.exec(
        select(OutboxRow)
        .where(
            col(OutboxRow.twin).in_(keys.look_ups(Purpose.ORDER, *letter.twin)),
            col(OutboxRow.lease_until).is_(None),
            col(OutboxRow.failed).is_(None),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)  # it was rewritten by a statement
    ).all()
    row = max(rows, key=lambda one: one.id or 0, default=None)  # there are few
    found = outbox.letter_of(keys, row) if row else None
    if row is None or found is None or found.twin != letter.twin:
        return None
    return Waiting(row.id or 0, found, row.order_name, row.expires, "")


def rewrite(
    session: Session,
    keys: ServerKeys,
    waiting: Waiting,
    letter: Letter,
    *,
    expires: datetime,
) -> bool:
    """Let a waiting letter say something else; False if somebody took it meanwhile.

    It keeps its place and its next try. What may have gone out before said something
    else, so it is no longer looked for at the provider.
    """
    place = outbox.context(waiting.order_name, expires)
    changed = session.connection().execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.id) == waiting.id,
            col(OutboxRow.lease_until).is_(None),
            col(OutboxRow.failed).is_(None),
        )
        .values(
            blob=keys.lock(Purpose.OUTBOX, letter.to_bytes(), place),
            expires=expires,
            doubtful=False,
        )
    )
    return bool(changed.rowcount)


_WAITS = Statement("SELECT 1 FROM outbox WHERE order_name IN (:names*) LIMIT 1")


def heard_from(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    handle: str,
    *,
    heard: int,
    now: datetime,
) -> None:
    """Let what waits for a person know that they wrote at ``heard`` (POSIX seconds).

    Their 24 h window is open again. A receipt that was given up is tried once more: only
    now can it arrive, and nobody can make it again.
    """
    if not _WAITS(session, names=keys.look_ups(Purpose.ORDER, channel, handle)).first():
        return
    for one in letters(session, keys, channel, handle):
        row = session.get_one(OutboxRow, one.id)
        if 0 < heard > one.letter.last_inbound:
            place = outbox.context(one.order_name, one.expires)
            moved = replace(one.letter, last_inbound=heard)
            row.blob = keys.lock(Purpose.OUTBOX, moved.to_bytes(), place)
        if one.failed and one.letter.kind is LetterKind.RECEIPT:
            row.failed, row.attempts = None, 0
            row.due = now.replace(second=0, microsecond=0)
        session.add(row)
    session.flush()


def hold_back(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    handle: str,
    reason: str,
    *,
    now: datetime,
) -> int:
    """Give up whatever waits for a person whom the provider will not reach; returns how many.

    Each would only be refused in its turn.
    """
    names = keys.look_ups(Purpose.ORDER, channel, handle)
    changed = session.connection().execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.order_name).in_(names),
            col(OutboxRow.lease_until).is_(None),
            col(OutboxRow.failed).is_(None),
            col(OutboxRow.priority) > FIRST,
            col(OutboxRow.expires) > now,
        )
        .values(failed=reason, due=now.replace(minute=0, second=0, microsecond=0))
    )
    return changed.rowcount
