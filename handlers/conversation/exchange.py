"""One exchange: a message, who wrote it, what is remembered of them, and the answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from handlers.cases import data_requests
from handlers.cases.receipts import Opening
from handlers.conversation import clean_chat
from handlers.conversation.memory import Memory
from handlers.messages import Command, CommandName, Incoming, Reply
from handlers.notices import reporters, undelivered
from handlers.office import Office
from handlers.talk.state import State
from handlers.talk.turn import Promises, Turn
from handlers.throttle import CALM
from handlers.work import Work
from storage import conversations, outbox
from storage.cases import reports
from storage.conversations import Kept
from storage.crypto.sealing import NotAuthentic
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.notices import subscriptions, waiting
from storage.words import Channel, JobKind, LetterKind

_READING = frozenset({CommandName.STATUS, CommandName.READ})


@dataclass(slots=True)
class Exchange:
    """One message and its answers, with all that their transaction needs."""

    work: Work
    incoming: Incoming
    names: tuple[bytes, ...]
    memory: Memory
    opening: Opening
    kept: Kept | None = None
    """The row of the conversation as it was found, if it could be read."""
    over: bool = field(default=False)
    """No report may be remembered after this turn: it was sent or thrown away."""
    echo: bool = field(default=False)
    """The same words came so often that a machine may have sent them."""
    sent: str = field(default="", repr=False)
    """The report (hex) that this message sent."""
    beside: str = field(default="", repr=False)
    """The report (hex) that this message belongs to without its code."""

    @property
    def heard(self) -> int:
        """Return when this message was written, as the provider tells it (POSIX seconds).

        One that was fetched late opens no window anew.
        """
        return int(min(self.incoming.received, self.work.now).timestamp())

    @property
    def state(self) -> State:
        """Return the dialogue's state as it stands now."""
        return self.memory.state

    def case_of(self, turn: Turn) -> str:
        """Return the report (hex) that the items for a case go to."""
        is_beside = any(item.beside for item in turn.items)
        return self.beside if is_beside else self.memory.opened

    @property
    def promises(self) -> Promises:
        """Return what may be said of requests about the case that was opened."""
        may = self.memory.may_add(self.work.now)
        report = bytes.fromhex(self.memory.opened) if may else None
        return data_requests.promises(self.work, report)

    @property
    def language(self) -> str:
        """Return the language of the conversation as it stands now."""
        return self.work.office.language(self.state.language)


def names(office: Office, incoming: Incoming) -> tuple[bytes, ...]:
    """Return the keyed names of the person, the handle's first."""
    return tuple(
        conversations.name_of(office.keys, incoming.channel, handle)
        for handle in incoming.handles
    )


def recall(
    work: Work, incoming: Incoming, known: Sequence[bytes]
) -> tuple[Memory, Kept | None]:
    """Return what is remembered of this person, the trail of this message included.

    ``known`` are their keyed names. With it comes the row that it was read from, if any.
    """
    new = State(language=work.office.languages[0])
    memory = Memory(incoming.channel, incoming.handle, state=new)
    row = conversations.find(work.store, known)
    if row is not None:
        try:
            memory = Memory.from_bytes(conversations.read(work.keys, row))
        except NotAuthentic:
            row = None
    if not incoming.recovered:
        memory.handle = incoming.handle
    if memory.case_over(work.now):
        memory.forget_case()
    clean_chat.received(work.office, incoming, memory)
    return memory, row


def remember(exchange: Exchange) -> None:
    """Keep the conversation, or forget it where nothing is left to remember.

    After a turn that is over only the trail stays, for as long as it may be deleted, and
    for some minutes what ties further parts of an album to the report that it sent.
    """
    memory = exchange.memory.bare() if exchange.over else exchange.memory
    if exchange.sent and exchange.incoming.group:
        group = exchange.incoming.group
        memory = memory.with_album(group, exchange.sent, exchange.work.now)
    clean_chat.go_on(exchange.work, memory)
    rest = memory.trail or memory.sent
    if memory.is_empty() or (exchange.over and not rest):
        conversations.forget(exchange.work.store, exchange.names)
        return
    forget_in_time(exchange.work, memory)
    conversations.save_over(
        exchange.work.store,
        exchange.work.keys,
        exchange.names,
        memory.to_bytes(),
        expires=memory.expires(exchange.work.now),
        kept=exchange.kept,
    )


def forget_in_time(work: Work, memory: Memory) -> None:
    """Let the case that is remembered be forgotten after its minutes.

    A job is due then: nobody would find the row by what is encrypted in it.
    """
    if memory.opened or memory.sent:
        whose = {"channel": memory.channel.value, "handle": memory.handle}
        jobs.put(
            work.store,
            work.keys,
            JobKind.FORGET,
            whose,
            now=work.now,
            due=datetime.fromtimestamp(memory.opened_until, UTC),
            once=f"{memory.channel}.{memory.handle}",
        )


def answer(
    exchange: Exchange, replies: Iterable[Reply], *, shown: Iterable[Reply] = ()
) -> None:
    """Post the answers; somebody who writes too fast is asked once to wait.

    An echo of a machine is not answered: the machine then stops. ``shown`` is what a
    command found for them: some of it counts as read from now on, so it goes in any case.
    """
    incoming, office = exchange.incoming, exchange.work.office
    acknowledge(exchange.work, incoming)
    if exchange.echo:
        replies = ()
    elif incoming.channel is not Channel.CANARY:
        written = office.pace.written(exchange.names[0], exchange.work.now)
        if written > CALM:
            replies = (Reply("X11", {"n": "1"}),) if written == CALM + 1 else ()
    for reply in (*shown, *replies):
        reporters.say(
            exchange.work,
            reply,
            channel=incoming.channel,
            to=incoming.handle,
            language=exchange.language,
            heard=exchange.heard,
        )


def acknowledge(work: Work, incoming: Incoming) -> None:
    """Let a button that was pressed come to rest; nothing for any other message."""
    if incoming.press_id:
        letter = Letter(
            kind=LetterKind.ACK,
            channel=incoming.channel,
            to=incoming.handle,
            press_id=incoming.press_id,
        )
        outbox.put(work.store, work.keys, letter, now=work.now)


def discard(exchange: Exchange) -> None:
    """Throw the draft away with everything in it."""
    if exchange.memory.report:
        reports.discard(exchange.work.store, bytes.fromhex(exchange.memory.report))
        exchange.memory.report, exchange.memory.readings = "", {}


def heard_from(exchange: Exchange) -> set[bytes]:
    """Let a person's 24 h window begin anew; returns the reports of which news is owed.

    Before anything is said: what this turn says knows already when they wrote.
    """
    work, incoming, heard = exchange.work, exchange.incoming, exchange.heard
    owed: set[bytes] = set()
    for handle in incoming.handles:
        place = (work.store, work.keys, incoming.channel, handle)
        owed |= set(subscriptions.heard_from(*place, heard=heard))
        waiting.heard_from(*place, heard=heard, now=work.now)
    return owed


def tell_owed(exchange: Exchange, owed: set[bytes], command: Command | None) -> None:
    """Tell what could not be told before.

    Whoever reads a case in this very turn is told nothing of it.
    """
    work, incoming = exchange.work, exchange.incoming
    if command is not None and command.name in _READING:
        owed.discard(exchange.opening.report)
    undelivered.tell_owed(work, owed, incoming.channel, incoming.handles)
