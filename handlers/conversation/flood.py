"""A flood from one contact becomes one case: what follows joins a draft that sends itself.

Who floods is known in memory alone, under a random key of this process: after a submit
nothing ties contact and case. What is not durable does not count. The draft waits
for ``QUIET`` without a message, for ``LONGEST`` at most; what is urgent waits for nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from handlers.cases.receipts import Opening
from handlers.conversation import commands, lead
from handlers.conversation.exchange import Exchange, answer, names, recall, remember
from handlers.messages import CommandName, Incoming, Kind, Proof
from handlers.talk import report
from handlers.talk.talk import Talk
from handlers.talk.turn import Facts, Turn
from handlers.work import Work
from storage.database import transactions
from storage.jobs import jobs
from storage.words import Channel, JobKind

QUIET: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=1)
AT_ONCE: Final = 20
"""Drafts that one transaction sends."""
_PLACE: Final = "flood"


@dataclass(slots=True)
class _Pending:
    """What a transaction took that is not durable yet: whose reports, and which words."""

    sent: list[bytes] = field(default_factory=list)
    words: set[bytes] = field(default_factory=set)


def is_one(exchange: Exchange) -> bool:
    """Tell whether a report of this contact would be one too many for an hour."""
    work, name = exchange.work, exchange.names[0]
    if exchange.incoming.channel is Channel.CANARY:
        return False
    besides = _pending(work).sent.count(name)
    return work.office.floods.is_one(name, work.now, besides=besides)


def is_known(exchange: Exchange) -> bool:
    """Tell whether the very same words were taken from this contact of late."""
    work, incoming = exchange.work, exchange.incoming
    if incoming.kind is not Kind.TEXT or incoming.channel is Channel.CANARY:
        return False
    trace = work.office.floods.trace(exchange.names[0], incoming.text)
    return trace in _pending(work).words or work.office.floods.knows(trace, work.now)


def note(exchange: Exchange, turn: Turn) -> None:
    """Count what a turn sends, remember its words, and owe a joined draft its end."""
    work, incoming, name = exchange.work, exchange.incoming, exchange.names[0]
    floods, pending = work.office.floods, _pending(work)
    sends = turn.command is not None and turn.command.name is CommandName.SUBMIT
    if sends:
        pending.sent.append(name)
        transactions.when_durable(work.store, partial(floods.sent, name, work.now))
    if turn.state.itself:
        _put_off(exchange, turn)
    if (sends or turn.state.itself) and turn.items and incoming.kind is Kind.TEXT:
        trace = floods.trace(name, incoming.text)
        pending.words.add(trace)
        transactions.when_durable(work.store, partial(floods.took, trace, work.now))


def _pending(work: Work) -> _Pending:
    found: _Pending = work.store.info.setdefault(_PLACE, _Pending())
    return found


def _put_off(exchange: Exchange, turn: Turn) -> None:
    """Let the draft send itself later, as long as something comes; at once if it is urgent."""
    work, incoming = exchange.work, exchange.incoming
    read = lead.of(work.office, exchange.memory, turn.state.answers)
    place = {
        "channel": incoming.channel.value,
        "handles": " ".join(incoming.handles),
    }
    jobs.put(
        work.store,
        work.keys,
        JobKind.SEND,
        place,
        now=work.now,
        due=work.now + (timedelta() if read.is_urgent else QUIET),
        once=f"{incoming.channel} {incoming.handle}",
        put_off=LONGEST - QUIET,
    )


def send_due(work: Work) -> int:
    """Send the joined drafts that were quiet for long enough; returns how many were looked at.

    Their people are held before their jobs, as messages hold them.
    """
    due = jobs.due(work.store, work.keys, JobKind.SEND, limit=AT_ONCE, now=work.now)
    people = {job: _person(details) for job, details in due}
    held = (name for one in people.values() if one for name in names(work.office, one))
    transactions.hold_people(work.store, held)
    for job, person in people.items():
        if jobs.take(work.store, job, now=work.now) and person is not None:
            _send(work, person)
    return len(due)


def _person(details: Mapping[str, str]) -> Incoming | None:
    """Return a message of nobody's from whom a draft waits; None where the job does not open."""
    if not details:
        return None
    handle, *aliases = details["handles"].split(" ")
    return Incoming(
        Channel(details["channel"]),
        handle,
        secrets.token_hex(16),
        datetime.fromtimestamp(0, UTC),
        Kind.TEXT,
        aliases=tuple(aliases),
        recovered=True,
    )


def _send(work: Work, person: Incoming) -> None:
    """Send what this person's draft holds; nothing where it went, or sends itself no more."""
    memory, kept = recall(work, person, names(work.office, person))
    if not (memory.report and memory.state.itself):
        return
    heard = datetime.fromtimestamp(memory.heard or memory.last_inbound, UTC)
    incoming = memory.addressed(replace(person, received=heard))
    known = names(work.office, incoming)
    exchange = Exchange(work, incoming, known, memory, Opening(Proof.NONE), kept)
    facts = Facts(now=work.now, token="")  # nosec B106
    turn = report.submit(Talk(memory.state, incoming, work.office.questionnaire, facts))
    if turn.command is None:
        return
    note(exchange, turn)
    memory.state = turn.state
    commands.run(exchange, turn.command)
    answer(exchange, turn.replies)
    remember(exchange)
