"""A message is received: once, in one transaction, with all that follows from it.

Third of the five files of one message; before it ``bot/channels/telegram.py`` parses,
after it ``handlers/dialogue.py`` decides. A receipt in the text was tried before
(``handlers/conversation/receipt_lookup.py``); what cannot be taken is kept in quarantine
(``handlers/quarantine/keeping.py``).
"""

import secrets
from datetime import datetime
from enum import StrEnum

from handlers import dialogue
from handlers.cases.receipts import Opening
from handlers.conversation import commands, flood, items
from handlers.conversation.exchange import (
    Exchange,
    answer,
    discard,
    heard_from,
    names,
    recall,
    remember,
    tell_owed,
)
from handlers.messages import Incoming, Kind, Proof, Reply
from handlers.people import officer_telegram
from handlers.talk.state import State
from handlers.talk.turn import Facts, Turn
from handlers.work import Work
from storage import conversations
from storage.cases import figures, reports
from storage.jobs import jobs
from storage.words import Channel, JobKind


class Outcome(StrEnum):
    """What became of a message; a word for the counters."""

    TAKEN = "taken"
    REPEAT = "repeat"
    QUARANTINED = "quarantined"


def receive(work: Work, incoming: Incoming, opening: Opening) -> Outcome:
    """Take a message: once, durably, with its answer in the outbox.

    ``opening`` is what became of a receipt in the text. A repeat changes nothing.
    """
    keys, day = work.keys, work.day
    if not conversations.first_seen(
        work.store, keys, incoming.channel, incoming.provider_id, day=day
    ):
        return Outcome.REPEAT
    if incoming.channel is not Channel.CANARY:
        figures.bump(work.store, f"received.{incoming.channel}", day=day)
    if not incoming.media:
        owe_erasure(work, incoming)
    if officer_telegram.receive(work, incoming):
        return Outcome.TAKEN
    memory, kept = recall(work, incoming, names(work.office, incoming))
    incoming = memory.addressed(incoming)
    known = names(work.office, incoming)
    exchange = Exchange(work, incoming, known, memory, opening, kept)
    exchange.echo = not opening.number and work.office.echoes.hears(
        incoming, known[0], work.now
    )
    if incoming.kind is Kind.GROUP:
        _in_group(exchange)
    else:
        _turn(exchange)
    return Outcome.TAKEN


def owe_erasure(work: Work, incoming: Incoming, due: datetime | None = None) -> None:
    """Owe the erasure of the provider's copy, at once or when it is ``due``.

    A file's copy goes only after the file was fetched, or when it is wanted no more.
    """
    if incoming.erase and work.office.erase_copies:
        copy = {"channel": incoming.channel.value, "id": incoming.erase}
        jobs.put(work.store, work.keys, JobKind.ERASE, copy, now=work.now, due=due)


def _in_group(exchange: Exchange) -> None:
    """Say one line in a group, at most once a minute, and keep nothing."""
    work, name = exchange.work, b"group" + exchange.names[0]
    if work.office.pace.written(name, work.now) == 1:
        answer(exchange, _advance(exchange, exchange.state, expired=False).replies)


def _turn(exchange: Exchange) -> None:
    memory, now = exchange.memory, exchange.work.now
    expired = memory.draft_over(now) or _vanished(exchange)
    if expired:
        discard(exchange)
    if exchange.opening.proof is Proof.OPENED:
        memory.open_case(exchange.opening.report, now)
        commands.restore_language(exchange)
    memory.number = exchange.opening.number if exchange.opening.number_only else ""
    turn = _advance(exchange, exchange.state, expired=expired)
    turn = commands.refuse_purged(exchange, turn)
    if items.changes_nothing(exchange, turn):
        return
    if not items.seal(exchange, turn):
        answer(exchange, (Reply("X07"),))
        return
    exchange.echo &= turn.state.step == exchange.state.step
    commands.settle(exchange, turn)
    flood.note(exchange, turn)
    memory.state = turn.state
    if exchange.incoming.kind is not Kind.MOVED:  # nobody wrote: it moves by itself
        memory.last_inbound, memory.warned = int(now.timestamp()), False
        memory.heard = max(memory.heard, exchange.heard)
    owed = heard_from(exchange)
    first: tuple[Reply, ...] = ()
    if turn.command is not None:
        first = commands.run(exchange, turn.command)
    answer(exchange, turn.replies, shown=first)
    tell_owed(exchange, owed, turn.command)
    remember(exchange)


def _vanished(exchange: Exchange) -> bool:
    """Tell whether the conversation names a draft that is none any more."""
    report = bytes.fromhex(exchange.memory.report)
    return bool(report) and not reports.is_draft(exchange.work.store, report)


def _advance(exchange: Exchange, state: State, *, expired: bool) -> Turn:
    opening = exchange.opening
    quoted = items.find_beside(exchange)
    facts = Facts(
        now=exchange.work.now,
        token=secrets.token_urlsafe(6),
        may_add=exchange.memory.may_add(exchange.work.now),
        promises=exchange.promises,
        proof=opening.proof,
        whole=opening.whole,
        number_only=opening.number_only,
        resumed_expired=expired,
        cleans=exchange.work.office.cleans(exchange.incoming.channel),
        quoted=quoted,
        late_part=bool(exchange.beside) and not quoted,
        overtaken=exchange.incoming.recovered
        and exchange.heard < exchange.memory.heard,
        flooding=flood.is_one(exchange),
        repeated=flood.is_known(exchange),
    )
    return dialogue.advance(
        state, exchange.incoming, exchange.work.office.questionnaire, facts
    )
