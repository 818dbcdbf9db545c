"""A clean chat: the bot deletes both sides' messages of a conversation, as far as it may.

The ids stand in the conversation's encrypted row (``handlers.conversation.memory``). One deletion at a
time waits in the outbox; when it ended, the next one takes what is left, also what was
delivered meanwhile. A batch that the provider refuses is halved, so that one message
that cannot be deleted holds back no other.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from handlers.conversation.memory import Memory, Sweep
from handlers.messages import Incoming, Kind, Reply
from handlers.notices import reporters, statuses
from handlers.office import Office
from handlers.work import Work
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


def go_on(work: Work, memory: Memory) -> None:
    """Post the next deletion unless one waits; tell when some messages stay.

    Where nothing stays nothing is said: an empty chat is the answer, and leaves no trace.
    """
    sweep = memory.sweep
    memory.trail = memory.trail.living(work.now)
    if sweep is None or _waits(sweep, work.now):
        return
    ids = memory.trail.first(sweep.size, below=sweep.below)
    if ids:
        letter = Letter(
            kind=LetterKind.DELETE,
            channel=memory.channel,
            to=memory.handle,
            message_ids=ids,
        )
        outbox.put(work.store, work.keys, letter, now=work.now)
        memory.sweep = replace(sweep, posted=int(work.now.timestamp()))
        return
    left = sweep.left + memory.trail.lost
    memory.sweep, memory.trail = None, replace(memory.trail, lost=0)
    if left:
        tell_left(work, memory, left)


def tell_left(work: Work, memory: Memory, left: int) -> None:
    """Say how many messages are left to be deleted by hand; this one stays too."""
    reporters.say(
        work,
        Reply("CLEANLEFT", {"n": str(left)}),
        channel=memory.channel,
        to=memory.handle,
        language=work.office.language(memory.state.language),
        heard=memory.heard,
    )


def sent(work: Work, claimed: Claimed, *, provider_id: str, final: bool) -> bool:
    """Finish a letter that the provider took, and keep its id in its conversation, if any.

    False if the lease was lost: the message went out all the same and is remembered.
    """
    row, memory = _held(work, claimed.letter)
    _remember_notice(work, claimed.letter, provider_id)
    ours = outbox.sent(
        work.store,
        work.keys,
        claimed,
        provider_id=provider_id,
        final=final,
        now=work.now,
    )
    if ours and final:
        channel = claimed.letter.channel
        sent_letters.ended(work.store, work.keys, channel, provider_id, now=work.now)
    elif ours:
        statuses.taken(work, claimed.letter, provider_id)
    if row is None or memory is None:
        return ours
    if claimed.letter.kind is not LetterKind.DELETE:
        _left(work.office, memory, claimed.letter, provider_id, work.now)
    elif ours:
        _swept(work, memory, claimed.letter)
    _keep(work, row, memory)
    return ours


def _remember_notice(work: Work, letter: Letter, provider_id: str) -> None:
    """Let a notice about a case be answered by quoting it, where a channel has quotes."""
    quotable = letter.kind is LetterKind.NOTICE and letter.channel in _QUOTES
    if quotable and letter.case and provider_id:
        report = bytes.fromhex(letter.case)
        subscriptions.told(
            work.store, work.keys, report, letter.channel, letter.to, provider_id
        )


def dead(work: Work, claimed: Claimed) -> bool:
    """Drop a letter that can never be sent; a refused deletion is tried in halves.

    False if the lease was lost.
    """
    if claimed.letter.kind is not LetterKind.DELETE:
        return outbox.dead(work.store, claimed)
    row, memory = _held(work, claimed.letter)
    ours = outbox.dead(work.store, claimed)
    if ours and row is not None and memory is not None:
        _refused(work, memory, claimed.letter)
        _keep(work, row, memory)
    return ours


def _held(
    work: Work, letter: Letter
) -> tuple[Conversation, Memory] | tuple[None, None]:
    """Lock a letter's conversation, before anything is written, as a message of it does."""
    if not work.office.cleans(letter.channel) or letter.kind not in _OF_A_TALK:
        return None, None
    name = conversations.name_of(work.keys, letter.channel, letter.to)
    found = conversations.find(work.store, [name])
    if found is None:
        return None, None
    for row in conversations.hold(work.store, [conversations.names_in(found)]):
        try:
            return row, Memory.from_bytes(conversations.read(work.keys, row))
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


def _swept(work: Work, memory: Memory, letter: Letter) -> None:
    memory.trail = memory.trail.without(letter.message_ids)
    if memory.sweep is not None:
        most = work.office.delete_at_once[memory.channel]
        size = min(most, 2 * memory.sweep.size)
        memory.sweep = replace(memory.sweep, size=size, posted=0)
    go_on(work, memory)


def _refused(work: Work, memory: Memory, letter: Letter) -> None:
    ids, sweep = letter.message_ids, memory.sweep
    if sweep is None:
        return
    sweep = replace(sweep, posted=0, refusals=sweep.refusals + 1)
    patient = sweep.refusals < MOST_REFUSALS
    if len(ids) > 1 and patient:
        sweep = replace(sweep, size=len(ids) // 2)
    else:
        memory.trail = memory.trail.without(ids)
        size = sweep.size if patient else work.office.delete_at_once[memory.channel]
        sweep = replace(sweep, size=size, left=sweep.left + len(ids))
    memory.sweep = sweep
    go_on(work, memory)


def _keep(work: Work, row: Conversation, memory: Memory) -> None:
    if memory.is_idle() and not memory.trail:
        conversations.drop(work.store, row)
        return
    conversations.save(
        work.store, work.keys, [row.handle], memory.to_bytes(), expires=memory.ends
    )


def _waits(sweep: Sweep, now: datetime) -> bool:
    """Tell whether a deletion may still lie in the outbox."""
    life = LIVES[LetterKind.DELETE].total_seconds()
    return bool(sweep.posted) and now.timestamp() < sweep.posted + life
