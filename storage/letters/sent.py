"""Letters that the provider took and has not told the end of: their keyed id, for a day or two.

A row has no order, no channel and no time finer than a day, and leads to no person unless
the letter was a notice about a case, whose wish ends when it cannot be reached. The
provider's id lies in it encrypted: a status that never comes must not leave a copy there.
When the end is told the row goes. That the id is a letter's, done, stays known in the inbox:
where a provider is asked for a letter of doubtful end, an earlier one is not taken for it.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage import conversations
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.letters.letter import Letter
from storage.models import Departed
from storage.words import Channel

_ASKED = frozenset({Channel.SMS, Channel.WHATSAPP})


_PUT = Statement.insert("departed", Departed.model_fields, "ON CONFLICT DO NOTHING")


def put(
    session: Session,
    keys: ServerKeys,
    letter: Letter,
    provider_id: str,
    *,
    now: datetime,
) -> None:
    """Keep what a later status needs: kind, channel, id.

    For a notice also handle, case, language and template, so that it may go once more.
    """
    rest = Letter(
        kind=letter.kind,
        channel=letter.channel,
        to=letter.to if letter.case else "",
        case=letter.case,
        language=letter.language,
        template=letter.template if letter.case else "",
        again=letter.again,
        press_id=provider_id,
    )
    name = keys.look_up(Purpose.PROVIDER, letter.channel, provider_id)
    blob = keys.lock(Purpose.OUTBOX, rest.to_bytes(), _context(name))
    _PUT(session, name=name, day=now.date(), rank=0, blob=blob)


def knows(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str
) -> bool:
    """Tell whether a provider's id is that of a letter that is done."""
    names = _names(keys, channel, provider_id)
    query = select(Departed.name).where(col(Departed.name).in_(names))
    if session.exec(query).first() is not None:
        return True
    return bool(conversations.known(session, keys, channel, [_done(provider_id)]))


def ended(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    provider_id: str,
    *,
    now: datetime,
) -> None:
    """Remember for a week that an id is that of a letter that is done and arrived or not.

    Only where a provider can be asked whether it has a letter.
    """
    if channel in _ASKED and provider_id:
        conversations.first_seen(
            session, keys, channel, _done(provider_id), day=now.date()
        )


def status(
    session: Session, keys: ServerKeys, channel: Channel, provider_id: str, rank: int
) -> Letter | None:
    """Apply a provider's status; never backwards.

    Returns what is left of the letter (see ``put``) when this status is new, None for a
    repeat, an older status or an unknown id.
    """
    row = session.exec(
        select(Departed)
        .where(col(Departed.name).in_(_names(keys, channel, provider_id)))
        .with_for_update()
    ).first()
    if row is None or rank <= row.rank:
        return None
    row.rank = rank
    session.add(row)
    session.flush()
    try:
        return replace(_rest(keys, row), press_id="")
    except NotAuthentic:
        session.delete(row)
        return None


def drop(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    provider_id: str,
    *,
    now: datetime,
) -> None:
    """Delete the row of a letter whose status is terminal; its id stays known as done."""
    names = _names(keys, channel, provider_id)
    session.connection().execute(delete(Departed).where(col(Departed.name).in_(names)))
    ended(session, keys, channel, provider_id, now=now)


def drop_expired(
    session: Session, keys: ServerKeys, *, now: datetime
) -> list[tuple[Channel, str]]:
    """Delete rows of letters that left before yesterday (UTC), so within 48 hours.

    Returns channel and provider's id of each whose last status never came.
    """
    yesterday = (now - timedelta(days=1)).date()
    copies = []
    for row in session.exec(select(Departed).where(col(Departed.day) < yesterday)):
        with suppress(NotAuthentic):
            rest = _rest(keys, row)
            copies.append((rest.channel, rest.press_id))
        session.delete(row)
    session.flush()
    return [(channel, name) for channel, name in copies if name]


def leave_to_nobody(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, case: str = ""
) -> int:
    """Forget handle and case of a person's departed notices; returns how many.

    ``case`` (hex) limits it to one case. The rows stay, so that the copies are erased.
    """
    changed = 0
    for row in session.exec(select(Departed)).all():
        try:
            letter = _rest(keys, row)
        except NotAuthentic:
            continue
        if (letter.channel, letter.to) != (channel, handle) or case not in {
            "",
            letter.case,
        }:
            continue
        bare = replace(letter, to="", case="")
        row.blob = keys.lock(Purpose.OUTBOX, bare.to_bytes(), _context(row.name))
        session.add(row)
        changed += 1
    return changed


def _rest(keys: ServerKeys, row: Departed) -> Letter:
    raw = keys.unlock(Purpose.OUTBOX, row.blob, _context(row.name))
    return Letter.from_bytes(raw)


def _names(keys: ServerKeys, channel: Channel, provider_id: str) -> tuple[bytes, ...]:
    return keys.look_ups(Purpose.PROVIDER, channel, provider_id)


def _done(provider_id: str) -> str:
    return f"done.{provider_id}"


def _context(name: bytes) -> Context:
    return Context("departed", name, "blob")
