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
from handlers.cases import officer_telegram
from handlers.cases.receipts import Opening
from handlers.conversation import commands, items
from handlers.conversation.exchange import (
    Turning,
    answer,
    discard,
    heard_from,
    names,
    recall,
    remember,
)
from handlers.messages import Incoming, Kind, Proof, Reply
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
    memory = recall(work, incoming)
    incoming = memory.addressed(incoming)
    known = names(work.office, incoming)
    turning = Turning(work, incoming, known, memory, opening)
    turning.echo = not opening.number and work.office.echoes.hears(
        incoming, known[0], work.now
    )
    if incoming.kind is Kind.GROUP:
        _in_group(turning)
    else:
        _turn(turning)
    return Outcome.TAKEN


def owe_erasure(work: Work, incoming: Incoming, due: datetime | None = None) -> None:
    """Owe the erasure of the provider's copy, at once or when it is ``due``.

    A file's copy goes only after the file was fetched, or when it is wanted no more.
    """
    if incoming.erase and work.office.erase_copies:
        copy = {"channel": incoming.channel.value, "id": incoming.erase}
        jobs.put(work.store, work.keys, JobKind.ERASE, copy, now=work.now, due=due)


def _in_group(turning: Turning) -> None:
    """Say one line in a group, at most once a minute, and keep nothing."""
    if (
        turning.work.office.pace.written(b"group" + turning.names[0], turning.work.now)
        == 1
    ):
        answer(turning, _advance(turning, turning.state, expired=False).replies)


def _turn(turning: Turning) -> None:
    memory, now = turning.memory, turning.work.now
    expired = memory.draft_over(now) or _vanished(turning)
    if expired:
        discard(turning)
    if turning.opening.proof is Proof.OPENED:
        memory.open_case(turning.opening.report, now)
        commands.restore_language(turning)
    memory.number = turning.opening.number if turning.opening.number_only else ""
    turn = _advance(turning, turning.state, expired=expired)
    turn = commands.refuse_purged(turning, turn)
    if items.changes_nothing(turning, turn):
        return
    if not items.seal(turning, turn):
        answer(turning, (Reply("X07"),))
        return
    turning.echo &= turn.state.step == turning.state.step
    commands.settle(turning, turn)
    memory.state = turn.state
    if turning.incoming.kind is not Kind.MOVED:  # nobody wrote: it moves by itself
        memory.last_inbound, memory.warned = int(now.timestamp()), False
        memory.heard = max(memory.heard, turning.heard)
    first: tuple[Reply, ...] = ()
    if turn.command is not None:
        first = commands.run(turning, turn.command)
    answer(turning, turn.replies, shown=first)
    heard_from(turning, turn.command)
    remember(turning)


def _vanished(turning: Turning) -> bool:
    """Tell whether the conversation names a draft that is none any more."""
    report = bytes.fromhex(turning.memory.report)
    return bool(report) and not reports.is_draft(turning.work.store, report)


def _advance(turning: Turning, state: State, *, expired: bool) -> Turn:
    opening = turning.opening
    quoted = items.find_beside(turning)
    facts = Facts(
        now=turning.work.now,
        token=secrets.token_urlsafe(6),
        may_add=turning.memory.may_add(turning.work.now),
        promises=turning.promises,
        proof=opening.proof,
        tries_left=opening.tries_left,
        locked_minutes=opening.minutes_locked,
        number_only=opening.number_only,
        resumed_expired=expired,
        cleans=turning.work.office.cleans(turning.incoming.channel),
        quoted=quoted,
        late_part=bool(turning.beside) and not quoted,
        overtaken=turning.incoming.recovered and turning.heard < turning.memory.heard,
    )
    return dialogue.advance(
        state, turning.incoming, turning.work.office.questionnaire, facts
    )
