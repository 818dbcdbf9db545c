"""A clean chat: the bot deletes both sides' messages of a conversation, as far as it may.

The ids stand in the conversation's encrypted row (``handlers.conversation.memory``). One deletion at a
time waits in the outbox; when it ended, the next one takes what is left, also what was
delivered meanwhile. A batch that the provider refuses is halved, so that one message
that cannot be deleted holds back no other.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlmodel import Session

from handlers.conversation.memory import Memory, Sweep
from handlers.dialogue import State
from handlers.messages import Incoming, Kind, Reply
from handlers.notices import reporters
from handlers.office import Office
from storage import conversations, outbox
from storage.crypto.sealing import NotAuthentic
from storage.letters import sent as sent_letters
from storage.letters.letter import LIVES, Letter
from storage.models import Conversation
from storage.notices import subscriptions
from storage.outbox import Claimed
from storage.words import Channel, LetterKind

MOST_REFUSALS: Final = 32
"""After so many in one cleaning a batch that is refused counts as left, whole."""
_STAYS: Final = frozenset({LetterKind.RECEIPT, LetterKind.NOTICE})
"""What is delivered while a cleaning runs and must be read first: the next one takes it."""
_QUOTES: Final = frozenset({Channel.TELEGRAM, Channel.WHATSAPP})
_OF_A_TALK: Final = frozenset({LetterKind.REPLY, LetterKind.DELETE}) | _STAYS


def received(office: Office, incoming: Incoming, memory: Memory) -> None:
    """Add a person's message to the trail; what follows belongs to no running cleaning."""
    if not office.cleans(incoming.channel):
        return
    pressed = incoming.kind is Kind.PRESS
    newer = memory.trail.newest + 1
    if memory.sweep is not None and (pressed or incoming.message_id >= newer):
        below = min(memory.sweep.below, newer if pressed else incoming.message_id)
        memory.sweep = replace(memory.sweep, below=below)
    if not pressed:
        hours = office.delete_hours[incoming.channel]
        memory.trail = memory.trail.with_id(
            incoming.message_id, incoming.received, hours
        )


def begin(office: Office, memory: Memory) -> None:
    """Let everything be deleted that was said until now; ``go_on`` posts the letters."""
    if office.cleans(memory.channel):
        posted = memory.sweep.posted if memory.sweep else 0
        memory.sweep = Sweep(office.delete_at_once[memory.channel], posted=posted)


def go_on(session: Session, office: Office, memory: Memory, *, now: datetime) -> None:
    """Post the next deletion unless one waits; tell when some messages stay.

    Where nothing stays nothing is said: an empty chat is the answer, and leaves no trace.
    """
    sweep = memory.sweep
    memory.trail = memory.trail.living(now)
    if sweep is None or _waits(sweep, now):
        return
    ids = memory.trail.first(sweep.size, below=sweep.below)
    if ids:
        letter = Letter(
            kind=LetterKind.DELETE,
            channel=memory.channel,
            to=memory.handle,
            message_ids=ids,
        )
        outbox.put(session, office.keys, letter, now=now)
        memory.sweep = replace(sweep, posted=int(now.timestamp()))
        return
    left = sweep.left + memory.trail.lost
    memory.sweep, memory.trail = None, replace(memory.trail, lost=0)
    if left:
        tell_left(session, office, memory, left, now=now)


def tell_left(
    session: Session, office: Office, memory: Memory, left: int, *, now: datetime
) -> None:
    """Say how many messages are left to be deleted by hand; this one stays too."""
    reporters.say(
        session,
        office,
        Reply("CLEANLEFT", {"n": str(left)}),
        channel=memory.channel,
        to=memory.handle,
        language=office.language(State.from_json(memory.state).language),
        heard=memory.heard,
        now=now,
    )


def sent(
    session: Session,
    office: Office,
    claimed: Claimed,
    *,
    provider_id: str,
    final: bool,
    now: datetime,
) -> bool:
    """Finish a letter that the provider took, and keep its id in its conversation, if any.

    False if the lease was lost: the message went out all the same and is remembered.
    """
    row, memory = _held(session, office, claimed.letter)
    _remember_notice(session, office, claimed.letter, provider_id)
    ours = outbox.sent(
        session, office.keys, claimed, provider_id=provider_id, final=final, now=now
    )
    if ours and final:
        channel = claimed.letter.channel
        sent_letters.ended(session, office.keys, channel, provider_id, now=now)
    if row is None or memory is None:
        return ours
    if claimed.letter.kind is not LetterKind.DELETE:
        _left(office, memory, claimed.letter, provider_id, now)
    elif ours:
        _swept(session, office, memory, claimed.letter, now)
    _keep(session, office, row, memory)
    return ours


def _remember_notice(
    session: Session, office: Office, letter: Letter, provider_id: str
) -> None:
    """Let a notice about a case be answered by quoting it, where a channel has quotes."""
    quotable = letter.kind is LetterKind.NOTICE and letter.channel in _QUOTES
    if quotable and letter.case and provider_id:
        report = bytes.fromhex(letter.case)
        subscriptions.told(
            session, office.keys, report, letter.channel, letter.to, provider_id
        )


def dead(session: Session, office: Office, claimed: Claimed, *, now: datetime) -> bool:
    """Drop a letter that can never be sent; a refused deletion is tried in halves.

    False if the lease was lost.
    """
    if claimed.letter.kind is not LetterKind.DELETE:
        return outbox.dead(session, claimed)
    row, memory = _held(session, office, claimed.letter)
    ours = outbox.dead(session, claimed)
    if ours and row is not None and memory is not None:
        _refused(session, office, memory, claimed.letter, now)
        _keep(session, office, row, memory)
    return ours


def _held(
    session: Session, office: Office, letter: Letter
) -> tuple[Conversation, Memory] | tuple[None, None]:
    """Lock a letter's conversation, before anything is written, as a message of it does."""
    if not office.cleans(letter.channel) or letter.kind not in _OF_A_TALK:
        return None, None
    name = conversations.name_of(office.keys, letter.channel, letter.to)
    found = conversations.find(session, [name])
    if found is None:
        return None, None
    for row in conversations.hold(session, [found]):
        try:
            return row, Memory.from_bytes(conversations.read(office.keys, row))
        except (NotAuthentic, ValueError):
            break
    return None, None


def _left(
    office: Office, memory: Memory, letter: Letter, provider_id: str, now: datetime
) -> None:
    """Add a message of ours to the trail."""
    message_id = int(provider_id) if provider_id.isdecimal() else 0
    sweep = memory.sweep
    if sweep is not None and message_id and letter.kind in _STAYS:
        memory.sweep = replace(sweep, below=min(sweep.below, message_id))
    hours = office.delete_hours[letter.channel]
    memory.trail = memory.trail.with_id(message_id, now, hours)


def _swept(
    session: Session, office: Office, memory: Memory, letter: Letter, now: datetime
) -> None:
    memory.trail = memory.trail.without(letter.message_ids)
    if memory.sweep is not None:
        most = office.delete_at_once[memory.channel]
        size = min(most, 2 * memory.sweep.size)
        memory.sweep = replace(memory.sweep, size=size, posted=0)
    go_on(session, office, memory, now=now)


def _refused(
    session: Session, office: Office, memory: Memory, letter: Letter, now: datetime
) -> None:
    ids, sweep = letter.message_ids, memory.sweep
    if sweep is None:
        return
    sweep = replace(sweep, posted=0, refusals=sweep.refusals + 1)
    patient = sweep.refusals < MOST_REFUSALS
    if len(ids) > 1 and patient:
        sweep = replace(sweep, size=len(ids) // 2)
    else:
        memory.trail = memory.trail.without(ids)
        size = sweep.size if patient else office.delete_at_once[memory.channel]
        sweep = replace(sweep, size=size, left=sweep.left + len(ids))
    memory.sweep = sweep
    go_on(session, office, memory, now=now)


def _keep(session: Session, office: Office, row: Conversation, memory: Memory) -> None:
    if memory.is_idle() and not memory.trail:
        session.delete(row)
        session.flush()
        return
    conversations.save(
        session, office.keys, [row.handle], memory.to_bytes(), expires=memory.ends
    )


def _waits(sweep: Sweep, now: datetime) -> bool:
    """Tell whether a deletion may still lie in the outbox."""
    life = LIVES[LetterKind.DELETE].total_seconds()
    return bool(sweep.posted) and now.timestamp() < sweep.posted + life
