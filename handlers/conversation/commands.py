"""Runs what the dialogue asks for: each command calls one verb."""

from dataclasses import replace

from handlers.cases import data_requests, reporter, submission
from handlers.conversation import clean_chat, lead
from handlers.conversation.exchange import Exchange, discard
from handlers.conversation.memory import Trail
from handlers.messages import Command, CommandName, Kind, Proof, Reply
from handlers.notices import joined, reporters, silence
from handlers.talk import followup, talk
from handlers.talk.turn import Turn
from storage.cases import cases, items
from storage.jobs import jobs
from storage.notices import failed, subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Anonymity, Audience, JobKind, RequestKind, Wanted

WISH = "Q05"
"""The step that says how the reporter wishes to be known; the last word counts."""


def run(exchange: Exchange, command: Command) -> tuple[Reply, ...]:
    """Run a command; returns what is to be said before the dialogue's own answers."""
    match command.name:
        case CommandName.SUBMIT:
            _submit(exchange, command)
        case CommandName.DISCARD:
            discard(exchange)
        case CommandName.STATUS | CommandName.READ:
            return _status(exchange)
        case CommandName.WITHDRAW | CommandName.FORGET:
            _end(exchange, command.name)
        case (
            CommandName.ERASE
            | CommandName.RESTRICT
            | CommandName.ACCESS
            | CommandName.CORRECT
        ):
            _ask(exchange, RequestKind(command.name.value))
        case CommandName.SUBSCRIBE:
            _subscribe(exchange, command)
        case CommandName.UNSUBSCRIBE:
            discard(exchange)
            incoming = exchange.incoming
            silence.stop(exchange.work, incoming.channel, incoming.handles)
            exchange.over, exchange.memory.trail = True, Trail()
        case CommandName.CLEAN:
            _forget_failed(exchange)
            clean_chat.begin(exchange.work.office, exchange.memory)
    return ()


def refuse_purged(exchange: Exchange, turn: Turn) -> Turn:
    """Say so, and keep nothing, where somebody adds to a case whose contents are erased."""
    session, office, memory = exchange.work.store, exchange.work.office, exchange.memory
    if not any(item.to_case for item in turn.items):
        return turn
    report = exchange.case_of(turn)
    case = cases.get(session, office.keys, bytes.fromhex(report))
    if case is None or case.purged is None:
        return turn
    if report == memory.opened:
        memory.forget_case()
    copy = {"channel": exchange.incoming.channel.value, "id": exchange.incoming.erase}
    if exchange.incoming.media and copy["id"] and office.erase_copies:
        jobs.put(session, office.keys, JobKind.ERASE, copy, now=exchange.work.now)
    state = exchange.state
    if state.step in {followup.ASK_ADDITION, followup.ASK_REPLY}:
        state = talk.release(state)
    reply = Reply("NOTADDED", {"date": case.purged.strftime("%d/%m/%Y")})
    return Turn(state, replies=(reply,))


def settle(exchange: Exchange, turn: Turn) -> None:
    """Do what the answers of a turn ask for at once, when its items are sealed.

    Their words are read for routing. Whoever is anonymous again has no name here any more.
    """
    memory = exchange.memory
    for item in turn.items:
        lead.note(exchange.work.office, memory, item)
    before, after = exchange.state.answers.get(WISH), turn.state.answers.get(WISH)
    named = any(
        item.audience is Audience.IDENTITY and not item.to_case for item in turn.items
    )
    if memory.report and after == Anonymity.ANON and (named or before != after):
        items.erase_identity(exchange.work.store, bytes.fromhex(memory.report))


def restore_language(exchange: Exchange) -> None:
    """Speak the language of the report again when its code was opened."""
    wanted = reporter.language_of(exchange.work, exchange.opening)
    if wanted and not exchange.state.chosen:
        exchange.memory.state = replace(exchange.state, language=wanted, chosen=True)


def _submit(exchange: Exchange, command: Command) -> None:
    if not exchange.memory.report:
        return
    report = bytes.fromhex(exchange.memory.report)
    if command.answers.get(WISH) == Anonymity.ANON:
        items.erase_identity(exchange.work.store, report)
    submission.open_case(
        exchange.work,
        report,
        command.answers,
        lead=lead.of(exchange.work.office, exchange.memory, command.answers),
        reporter=_subscriber(exchange),
        notify=command.notify,
    )
    exchange.sent, exchange.memory.report = exchange.memory.report, ""
    exchange.memory.readings = {}
    exchange.over = True


def _status(exchange: Exchange) -> tuple[Reply, ...]:
    if exchange.opening.proof is not Proof.OPENED:
        return ()
    stands = reporter.status_of(
        exchange.work,
        exchange.opening,
        language=exchange.language,
        channel=exchange.incoming.channel,
    )
    return (*stands, *reporter.unread(exchange.work, exchange.opening))


def _is_ordered(exchange: Exchange) -> bool:
    """Tell whether this very message may take away or redirect.

    It holds number and code itself, or is a button of the question about what was proved.
    """
    opening = exchange.opening
    if opening.proof is Proof.OPENED:
        return opening.whole
    pressed = exchange.incoming.kind is Kind.PRESS
    return pressed and exchange.memory.may_add(exchange.work.now)


def _end(exchange: Exchange, name: CommandName) -> None:
    if not _is_ordered(exchange):
        return
    verb = reporter.withdraw if name is CommandName.WITHDRAW else reporter.erase
    report = bytes.fromhex(exchange.memory.opened)
    verb(exchange.work, report)
    exchange.memory.forget_case()
    _forget_failed(exchange)


def _forget_failed(exchange: Exchange) -> None:
    """Let no letter that failed come to this chat any more."""
    for handle in exchange.incoming.handles:
        failed.forget_person(
            exchange.work.store, exchange.work.keys, exchange.incoming.channel, handle
        )


def _ask(exchange: Exchange, kind: RequestKind) -> None:
    """Take a request; a correction's words may follow its number and code."""
    adds = kind is RequestKind.CORRECT and exchange.memory.may_add(exchange.work.now)
    if not (adds or _is_ordered(exchange)):
        return
    report = bytes.fromhex(exchange.memory.opened)
    data_requests.ask(exchange.work, report, kind)
    if kind is RequestKind.ERASE:
        exchange.memory.forget_case()


def _subscribe(exchange: Exchange, command: Command) -> None:
    """Set the kind of notices about the open case; None ends them, an alias's too.

    Whoever has them already hears that another contact asked for them.
    """
    if not _is_ordered(exchange):
        return
    session, keys, incoming = exchange.work.store, exchange.work.keys, exchange.incoming
    report = bytes.fromhex(exchange.memory.opened)
    handles = incoming.handles
    if command.notify is not None:
        wish = replace(_subscriber(exchange), kind=command.notify)
        _tell_others(exchange, report, handles)
        subscriptions.add(session, keys, report, wish)
        if command.notify is Wanted.NEUTRAL:
            _quieten(exchange, report, wish)
        handles = incoming.aliases  # one person hears it once
    for handle in handles:
        subscriptions.end(session, keys, report, incoming.channel, handle)


def _quieten(exchange: Exchange, report: bytes, wish: Subscriber) -> None:
    """Let no words leave any more that are not wanted since this message."""
    work = exchange.work
    case = cases.get(work.store, work.keys, report)
    if case is not None:
        joined.quieten(work, case, wish)


def _tell_others(exchange: Exchange, report: bytes, handles: tuple[str, ...]) -> None:
    """Say it once: whoever has news already and changes its kind is no new contact."""
    work, channel = exchange.work, exchange.incoming.channel
    known = subscriptions.of_case(work.store, work.keys, report)
    if any(one.channel is channel and one.handle in handles for one in known):
        return
    case = cases.get(work.store, work.keys, report)
    if case is not None:
        reporters.tell_of_another(work, case, channel=channel, handles=handles)


def _subscriber(exchange: Exchange) -> Subscriber:
    return Subscriber(
        channel=exchange.incoming.channel,
        handle=exchange.incoming.handle,
        language=exchange.language,
        last_inbound=exchange.heard,
    )
