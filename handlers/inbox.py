"""A message is received: once, in one transaction, with all that follows from it.

Third of the five files of one message; before it ``bot/channels/telegram.py`` parses,
after it ``handlers/dialogue.py`` decides. ``look`` reads what a receipt in the text needs;
its slow hashing runs in between (``handlers.cases.receipts.open_with``); ``receive`` writes.
"""

import secrets
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from handlers import dialogue
from handlers.cases import officer_telegram, receipts
from handlers.cases.receipts import Opening, Question
from handlers.conversation import commands, items
from handlers.conversation import items as sealed
from handlers.conversation.exchange import (
    Turning,
    answer,
    discard,
    heard_from,
    names,
    recall,
    remember,
)
from handlers.dialogue import Facts, State, Turn
from handlers.messages import Incoming, Kind, Proof, Reply
from handlers.notices import reporters
from handlers.office import Office
from handlers.rules import numbering
from storage import conversations
from storage.cases import figures, reports
from storage.jobs import jobs
from storage.words import Channel, JobKind

_FEWEST_DIGITS = 2
"""Every case number has at least two digits, every code sixteen."""


class Outcome(StrEnum):
    """What became of a message; a word for the counters."""

    TAKEN = "taken"
    REPEAT = "repeat"
    QUARANTINED = "quarantined"


def may_hold_receipt(incoming: Incoming) -> bool:
    """Tell cheaply whether it is worth looking for a receipt in this message."""
    if incoming.kind is Kind.GROUP:
        return False
    return sum(map(str.isdigit, incoming.text)) >= _FEWEST_DIGITS


def look(
    session: Session, office: Office, incoming: Incoming, *, now: datetime
) -> Question | None:
    """Return the receipt that this message holds, if it holds one; reads only."""
    memory = recall(session, office, incoming, now=now)
    waits = dialogue.wants_receipt(State.from_json(memory.state))
    words = office.questionnaire.keywords
    found = numbering.read_receipt(
        incoming.text,
        number=memory.number,
        expects_code=waits or words.first(incoming.text) is not None,
        keywords=receipts.keywords(office),
    )
    number = (found.number if found else "") or memory.number
    if found is None or not number:
        return None
    if not found.code and not waits and memory.report:
        return None  # inside a report a number alone is a weak sign: it stays an answer
    name = names(office, incoming)[0]
    return receipts.question(session, office, number, found.code, name)


def receive(
    session: Session,
    office: Office,
    incoming: Incoming,
    opening: Opening,
    *,
    now: datetime,
) -> Outcome:
    """Take a message: once, durably, with its answer in the outbox.

    ``opening`` is what became of a receipt in the text. A repeat changes nothing.
    """
    keys, day = office.keys, office.day(now)
    if not conversations.first_seen(
        session, keys, incoming.channel, incoming.provider_id, day=day
    ):
        return Outcome.REPEAT
    if incoming.channel is not Channel.CANARY:
        figures.bump(session, f"received.{incoming.channel}", day=day)
    if not incoming.media:
        _owe_erasure(session, office, incoming, now)
    if officer_telegram.receive(session, office, incoming, now=now):
        return Outcome.TAKEN
    memory = recall(session, office, incoming, now=now)
    incoming = memory.addressed(incoming)
    known = names(office, incoming)
    turning = Turning(session, office, incoming, known, memory, opening, now)
    turning.echo = not opening.number and office.echoes.hears(incoming, known[0], now)
    if incoming.kind is Kind.GROUP:
        _in_group(turning)
    else:
        _turn(turning)
    return Outcome.TAKEN


def quarantine(
    session: Session,
    office: Office,
    raw: bytes,
    reason: str,
    *,
    channel: Channel,
    name: str = "",
    now: datetime,
) -> Outcome:
    """Keep what could not be understood, sealed to the vault, for 7 days.

    ``name`` is the provider's, where it was used up for this message.
    """
    sealed.quarantine(session, office, raw, reason, channel=channel, name=name, now=now)
    figures.bump(session, "quarantined", day=office.day(now))
    return Outcome.QUARANTINED


def set_aside(
    session: Session,
    office: Office,
    incoming: Incoming,
    raw: bytes,
    reason: str,
    *,
    now: datetime,
) -> Outcome:
    """Put a message that made us stumble into quarantine, once, and say so honestly."""
    if incoming.channel is Channel.CANARY:
        return Outcome.QUARANTINED  # the server's own test: it hears nothing, and fails
    channel, provider_id = incoming.channel, incoming.provider_id
    day = office.day(now)
    if not conversations.first_seen(
        session, office.keys, channel, provider_id, day=day
    ):
        return Outcome.REPEAT
    life = office.rulebook.lifetimes.days("quarantine")
    _owe_erasure(session, office, incoming, now, now + life if incoming.media else now)
    if incoming.kind not in {Kind.GROUP, Kind.BLOCKED, Kind.OPT_OUT}:
        language = office.language(incoming.language_hint)
        reporters.say(
            session,
            office,
            Reply("X07"),
            channel=channel,
            to=incoming.handle,
            language=language,
            heard=int(min(incoming.received, now).timestamp()),
            now=now,
        )
    return quarantine(
        session, office, raw, reason, channel=channel, name=provider_id, now=now
    )


def _owe_erasure(
    session: Session,
    office: Office,
    incoming: Incoming,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Owe the erasure of the provider's copy (of a file's, only once it was fetched).

    Files of a message set aside stay while it may be taken in again, until ``due``.
    """
    if incoming.erase and office.erase_copies:
        copy = {"channel": incoming.channel.value, "id": incoming.erase}
        jobs.put(session, office.keys, JobKind.ERASE, copy, now=now, due=due)


def _in_group(turning: Turning) -> None:
    """Say one line in a group, at most once a minute, and keep nothing."""
    if turning.office.pace.written(b"group" + turning.names[0], turning.now) == 1:
        answer(turning, _advance(turning, turning.state, expired=False).replies)


def _turn(turning: Turning) -> None:
    memory, now = turning.memory, turning.now
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
    memory.state = turn.state.to_json()
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
    return bool(report) and not reports.is_draft(turning.session, report)


def _advance(turning: Turning, state: State, *, expired: bool) -> Turn:
    opening = turning.opening
    quoted = items.find_beside(turning)
    facts = Facts(
        now=turning.now,
        token=secrets.token_urlsafe(6),
        may_add=turning.memory.may_add(turning.now),
        promises=turning.promises,
        proof=opening.proof,
        tries_left=opening.tries_left,
        locked_minutes=opening.minutes_locked,
        number_only=opening.number_only,
        resumed_expired=expired,
        cleans=turning.office.cleans(turning.incoming.channel),
        quoted=quoted,
        late_part=bool(turning.beside) and not quoted,
        overtaken=turning.incoming.recovered and turning.heard < turning.memory.heard,
    )
    return dialogue.advance(
        state, turning.incoming, turning.office.questionnaire, facts
    )
